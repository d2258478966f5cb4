/* SPDX-License-Identifier: MIT */
#include "job/report_json.h"

#include "job/naming.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define UNLOADED_MOST 4096

static void
put_some(struct pen *pen, const char *name, const char *value)
{
	if (value != NULL && value[0] != 0)
		pen_string(pen, name, value);
}

static void
put_system(const struct space *space, struct pen *pen)
{
	char version[48];
	pen_object(pen, "system_info");
	put_some(pen, "os", naming_os_schema(space->os));
	if (space->os_major != 0 || space->os_build != 0) {
		snprintf(version, sizeof version, "%" PRIu32 ".%" PRIu32 ".%" PRIu32, space->os_major, space->os_minor, space->os_build);
		pen_string(pen, "os_ver", version);
	}
	put_some(pen, "cpu_arch", naming_arch_schema(space->arch));
	pen_end(pen, '}');
}

/* Where the crashing thread stands in threads[]: all of them with --all, else it alone. */
static size_t
thread_index(const struct diagnosis *diagnosis)
{
	return diagnosis->options.all ? (size_t)(diagnosis->thread - diagnosis->space.threads) : 0;
}

static void
put_crash(const struct diagnosis *diagnosis, struct pen *pen)
{
	const struct crash *crash = &diagnosis->space.crash;
	pen_object(pen, "crash_info");
	put_some(pen, "type", diagnosis->type);
	put_some(pen, "detail", diagnosis->detail);
	put_some(pen, "hint", diagnosis->hint);
	if (crash->recorded) {
		char code[16];
		snprintf(code, sizeof code, "0x%08" PRIx32, crash->code);
		pen_string(pen, "code", code);
		if (crash->has_fault_address)
			pen_hex(pen, "address", crash->fault_address);
		else if (crash->address != 0)
			pen_hex(pen, "address", crash->address);
		pen_number(pen, "crashing_thread_id", crash->thread);
	}
	if (diagnosis->thread != NULL)
		pen_number(pen, "crashing_thread", thread_index(diagnosis));
	pen_end(pen, '}');
}

static void
put_registers(const struct diagnosis *diagnosis, struct pen *pen)
{
	const struct registers *registers = &diagnosis->registers;
	pen_object(pen, "registers");
	for (unsigned i = 0; i < 33; i++) {
		const char *name = naming_register(diagnosis->space.arch, i);
		if (name != NULL && (registers->valid >> i & 1) != 0)
			pen_hex(pen, name, registers->r[i]);
	}
	pen_hex(pen, naming_pc(diagnosis->space.arch), registers->pc);
	pen_end(pen, '}');
}

static void
put_frame(struct diagnosis *diagnosis, struct pen *pen, const struct frame *frame, size_t i)
{
	char room[SPACE_NAME_MAX];
	pen_object(pen, NULL);
	pen_number(pen, "frame", i);
	pen_string(pen, "trust", frame_trust_name(frame->trust));
	pen_hex(pen, "offset", frame->pc);
	if (frame->module != NULL) {
		(void)diagnose_frame(diagnosis, frame, room);
		put_some(pen, "module", room);
		pen_hex(pen, "module_offset", frame->pc - frame->module->base);
	}
	if (frame->name[0] != 0) {
		pen_string(pen, "function", frame->name);
		if (frame->name_start != 0 && frame->pc >= frame->name_start)
			pen_hex(pen, "function_offset", frame->pc - frame->name_start);
	}
	if (frame->managed)
		pen_bool(pen, "managed", true);
	if (frame->file[0] != 0) {
		pen_string(pen, "file", frame->file);
		pen_number(pen, "line", frame->line);
	}
	if (frame->repeated > 0) {
		pen_number(pen, "repeated", frame->repeated);
		pen_number(pen, "repeated_frames", frame->repeated_group);
	}
}

static void
put_frames(struct diagnosis *diagnosis, struct pen *pen, const struct thread *thread)
{
	const struct frames *frames = diagnose_walk(diagnosis, thread);
	bool crashed = thread == diagnosis->thread;
	size_t top = crashed ? diagnosis->top : diagnose_top(diagnosis, frames);
	pen_number(pen, "frame_count", frames->count);
	pen_bool(pen, "complete", frames->ended_well && frames->left_out == 0);
	if (top != NO_FRAME)
		pen_number(pen, "application_frame", top);
	pen_array(pen, "frames");
	for (size_t i = 0; i < frames->count; i++) {
		put_frame(diagnosis, pen, &frames->list[i], i);
		if (crashed && i == 0 && diagnosis->has_registers)
			put_registers(diagnosis, pen);
		pen_end(pen, '}');
	}
	pen_end(pen, ']');
}

static void
put_thread(struct diagnosis *diagnosis, struct pen *pen, const struct thread *thread)
{
	struct space *space = &diagnosis->space;
	char name[SPACE_NAME_MAX];
	uint32_t error;
	space_thread_name(space, thread, name);
	pen_object(pen, NULL);
	pen_number(pen, "thread_id", thread->id);
	put_some(pen, "thread_name", name);
	if (space->os == OS_WINDOWS && space_last_error(space, thread, &error)) {
		char value[16];
		snprintf(value, sizeof value, "0x%08" PRIx32, error);
		pen_string(pen, "last_error_value", value);
	}
	put_frames(diagnosis, pen, thread);
	pen_end(pen, '}');
}

static void
put_threads(struct diagnosis *diagnosis, struct pen *pen)
{
	const struct space *space = &diagnosis->space;
	pen_number(pen, "thread_count", space->thread_count + space->threads_left_out);
	pen_array(pen, "threads");
	if (diagnosis->options.all || diagnosis->thread == NULL)
		for (size_t i = 0; i < space->thread_count; i++)
			put_thread(diagnosis, pen, &space->threads[i]);
	else
		put_thread(diagnosis, pen, diagnosis->thread);
	pen_end(pen, ']');
}

static void
put_version(struct pen *pen, uint64_t version)
{
	char room[32];
	snprintf(room, sizeof room, "%u.%u.%u.%u", (unsigned)(version >> 48 & 0xffff), (unsigned)(version >> 32 & 0xffff),
	         (unsigned)(version >> 16 & 0xffff), (unsigned)(version & 0xffff));
	pen_string(pen, "version", room);
}

static void
put_module(struct diagnosis *diagnosis, struct pen *pen, const struct module *module)
{
	struct space *space = &diagnosis->space;
	char name[SPACE_NAME_MAX], id[2 * SPACE_BUILD_ID_MAX + 1];
	pen_object(pen, NULL);
	pen_hex(pen, "base_addr", module->base);
	pen_hex(pen, "end_addr", module->base + module->size);
	space_module_name(space, module, name);
	put_some(pen, "filename", space_short_name(name));
	space_debug_name(space, module, name);
	put_some(pen, "debug_file", space_short_name(name));
	space_debug_id(space, module, id);
	put_some(pen, "debug_id", id);
	space_code_id(space, module, id);
	put_some(pen, "code_id", id);
	if (module->version != 0)
		put_version(pen, module->version);
	pen_end(pen, '}');
}

static void
put_modules(struct diagnosis *diagnosis, struct pen *pen)
{
	const struct space *space = &diagnosis->space;
	for (size_t i = 0; i < space->module_count && space->main_base != 0; i++)
		if (space->modules[i].base == space->main_base)
			pen_number(pen, "main_module", i);
	pen_array(pen, "modules");
	for (size_t i = 0; i < space->module_count; i++)
		put_module(diagnosis, pen, &space->modules[i]);
	pen_end(pen, ']');
}

static void
put_unloaded(struct diagnosis *diagnosis, struct pen *pen)
{
	struct module module;
	char name[SPACE_NAME_MAX], code[32];
	pen_array(pen, "unloaded_modules");
	for (uint64_t i = 0; i < UNLOADED_MOST && space_unloaded(&diagnosis->space, i, &module); i++) {
		pen_object(pen, NULL);
		pen_hex(pen, "base_addr", module.base);
		pen_hex(pen, "end_addr", module.base + module.size);
		space_module_name(&diagnosis->space, &module, name);
		put_some(pen, "filename", space_short_name(name));
		snprintf(code, sizeof code, "%08" PRIX32 "%" PRIx64, module.timestamp, module.size);
		pen_string(pen, "code_id", code);
		pen_end(pen, '}');
	}
	pen_end(pen, ']');
}

/* Each inner exception stands inside the one that holds it. */
static void
put_exceptions(const struct diagnosis *diagnosis, struct pen *pen)
{
	const struct managed_findings *findings = &diagnosis->findings;
	for (size_t i = 0; i < findings->exception_count; i++) {
		const struct managed_exception *exception = &findings->exceptions[i];
		pen_object(pen, i == 0 ? "exception" : "inner");
		put_some(pen, "type", exception->type);
		if (exception->has_message && diagnosis->options.redact_message)
			pen_bool(pen, "message_redacted", true);
		else if (exception->has_message)
			pen_string(pen, "message", exception->message);
		if (exception->has_hresult) {
			char value[16];
			snprintf(value, sizeof value, "0x%08" PRIx32, exception->hresult);
			pen_string(pen, "hresult", value);
		}
		if (exception->address != 0)
			pen_hex(pen, "address", exception->address);
		if (exception->message_found)
			pen_string(pen, "message_source", "stack");
		if (exception->type_unsure)
			pen_bool(pen, "type_unverified", true);
		if (exception->inner_lost)
			pen_bool(pen, "inner_unreadable", true);
		pen_array(pen, "frames");
		for (size_t k = 0; k < exception->frame_count; k++) {
			pen_object(pen, NULL);
			put_some(pen, "method", exception->frames[k].method);
			pen_hex(pen, "offset", exception->frames[k].pc);
			pen_end(pen, '}');
		}
		pen_end(pen, ']');
	}
	for (size_t i = 0; i < findings->exception_count; i++)
		pen_end(pen, '}');
}

static void
put_watson(const struct managed_watson *watson, struct pen *pen)
{
	char value[16];
	if (!watson->found)
		return;
	pen_object(pen, "watson");
	pen_string(pen, "app", watson->app);
	pen_string(pen, "app_version", watson->app_version);
	pen_string(pen, "module", watson->module);
	pen_string(pen, "module_version", watson->module_version);
	snprintf(value, sizeof value, "0x%08" PRIx32, 0x06000000 | watson->method);
	pen_string(pen, "method_token", value);
	snprintf(value, sizeof value, "0x%" PRIx32, watson->il_offset);
	pen_string(pen, "il_offset", value);
	pen_string(pen, "type", watson->type);
	pen_end(pen, '}');
}

static void
put_managed(const struct diagnosis *diagnosis, struct pen *pen)
{
	const struct managed_findings *findings = &diagnosis->findings;
	if (findings->runtime_count == 0 && findings->exception_count == 0)
		return;
	pen_object(pen, "managed");
	if (findings->runtime_count > 0)
		put_some(pen, "runtime", findings->runtimes[0].version[0] != 0 ? findings->runtimes[0].version : findings->runtimes[0].name);
	pen_array(pen, "runtimes");
	for (size_t i = 0; i < findings->runtime_count; i++) {
		pen_object(pen, NULL);
		put_some(pen, "module", findings->runtimes[i].name);
		put_some(pen, "version", findings->runtimes[i].version);
		pen_hex(pen, "base_addr", findings->runtimes[i].base);
		pen_end(pen, '}');
	}
	pen_end(pen, ']');
	if (findings->exception_count > 0) {
		put_some(pen, "source", naming_source(findings->source));
		if (findings->type_source != findings->source)
			put_some(pen, "type_source", naming_source(findings->type_source));
		if (findings->trace_source != findings->source)
			put_some(pen, "trace_source", naming_source(findings->trace_source));
		if (findings->fail_fast)
			pen_bool(pen, "fail_fast", true);
		pen_number(pen, "thread_id", findings->thread);
		put_exceptions(diagnosis, pen);
	}
	put_watson(&findings->watson, pen);
	pen_end(pen, '}');
}

static void
put_notes(const struct diagnosis *diagnosis, struct pen *pen)
{
	pen_array(pen, "soft_errors");
	for (size_t i = 0; i < diagnosis->note_count; i++)
		pen_string(pen, NULL, diagnosis->notes[i]);
	pen_end(pen, ']');
}

static void
put_comment(struct diagnosis *diagnosis, struct pen *pen)
{
	char room[REPORT_COMMENT_MAX];
	struct text comment = text_in(room, sizeof room);
	if (space_comment(&diagnosis->space, &comment))
		pen_string(pen, "comment", room);
}

void
report_json(struct diagnosis *diagnosis, struct pen *pen)
{
	const struct space *space = &diagnosis->space;
	pen->digits = space->pointer_size == 4 ? 8 : 16;
	pen->comma = false;
	pen_object(pen, NULL);
	pen_string(pen, "status", "OK");
	pen_string(pen, "file", diagnosis->path);
	if (space->pid != 0)
		pen_number(pen, "pid", space->pid);
	if (space->dump_time_s != 0 && space->process_start_s != 0 && space->dump_time_s >= space->process_start_s)
		pen_signed(pen, "process_uptime", space->dump_time_s - space->process_start_s);
	if (diagnosis->crashed)
		put_crash(diagnosis, pen);
	if (diagnosis->crashing_in != NULL) {
		pen_object(pen, "unrecorded_crash");
		pen_number(pen, "thread_id", diagnosis->thread->id);
		pen_string(pen, "function", diagnosis->crashing_in);
		pen_end(pen, '}');
	}
	if (diagnosis->signature.hash[0] != 0) {
		pen_string(pen, "signature", diagnosis->signature.text);
		pen_string(pen, "signature_hash", diagnosis->signature.hash);
	}
	put_managed(diagnosis, pen);
	put_system(space, pen);
	put_threads(diagnosis, pen);
	put_modules(diagnosis, pen);
	put_unloaded(diagnosis, pen);
	put_comment(diagnosis, pen);
	put_notes(diagnosis, pen);
	pen_end(pen, '}');
	pen_put(pen, "\n");
}
