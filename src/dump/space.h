/* SPDX-License-Identifier: MIT */
/* The dumped process as the other rooms of dump/ see it: memory by address, modules, threads, the crash. Filled by
 * dump/minidump or dump/core; whoever reads it need not know which. Everything in it comes from a hostile file: names are
 * raw, lengths are checked, links may be cyclic. */
#ifndef DUMP_SPACE_H
#define DUMP_SPACE_H

#include "base/text.h"
#include "dump/range.h"

#define SPACE_MODULES_MAX 4096    /* further ones are counted, not kept */
#define SPACE_THREADS_MAX 16384
#define SPACE_NAME_MAX 512
#define SPACE_STREAMS_MAX 64
#define SPACE_LISTS 3             /* memory lists of one dump: full memory, small pieces, thread stacks */
#define SPACE_BUILD_ID_MAX 32

enum space_arch { ARCH_UNKNOWN, ARCH_X86, ARCH_X64, ARCH_ARM, ARCH_ARM64 }; /* ARM: registers alone */
enum space_os { OS_UNKNOWN, OS_WINDOWS, OS_LINUX, OS_MAC };

struct module {
	uint64_t base, size;
	uint32_t timestamp, checksum; /* PE; 0 for ELF, and of a core whose headers are not there */
	bool is_flat;                 /* a PE mapped as the file is, not by section: of cores */
	uint64_t name_at;             /* place of its name in the file, for space_module_name */
	uint64_t codeview_at;         /* place of its CodeView record, 0: none */
	uint32_t codeview_size;
	uint64_t version;             /* four 16-bit parts, 0: none */
	uint64_t file_offset;         /* ELF: file offset mapped at base (NT_FILE) */
};

/* General registers by a common numbering, so that one unwinder interface serves. x64: rax rcx rdx rbx rsp rbp rsi rdi
 * r8-r15 (Windows' order), then pc = rip; x86: eax ecx edx ebx esp ebp esi edi; arm64: x0-x28, fp = 29, lr = 30, sp = 31. */
struct registers {
	uint64_t r[33];
	uint64_t pc, sp, fp;  /* copies of the right ones */
	uint64_t valid;       /* bit i: r[i] is known */
	uint32_t flags;       /* eflags / cpsr */
};

struct thread {
	uint32_t id;
	uint64_t stack_start, stack_size; /* 0: unknown */
	uint64_t teb;
	uint64_t context_at;              /* place of its context or prstatus in the file */
	uint32_t context_size;
	uint64_t name_at;                 /* 0: none */
	uint64_t start_address;           /* of its function, 0: unknown */
	int signal;                       /* cores */
};

struct crash {
	bool recorded;             /* an exception stream with a code, or a signal */
	bool doubtful;             /* the signal is there in dumps on demand too */
	uint32_t thread;           /* id */
	uint32_t code, flags;      /* NTSTATUS, or signal and si_code for Linux */
	uint64_t address;          /* of the instruction (Windows) */
	uint64_t fault_address;    /* what was accessed, si_addr */
	bool has_fault_address;
	uint32_t parameter_count;  /* clamped to 15 */
	uint64_t parameters[15];
	uint64_t context_at;       /* place of the exception's context; 0: the thread's own */
	uint32_t context_size;
};

/* A stream of a minidump (at and size lie within the file), or for cores a note (type of the note). */
struct stream {
	uint32_t type, size;
	uint64_t at;
};

struct space;
struct symbols; /* dump/symbols */

/* Another place to look for bytes of a module that the dump lacks (--images). */
struct space_images {
	bool (*read)(struct space_images *, struct space *, const struct module *, uint64_t rva, void *room, size_t size);
};

struct space {
	struct view view;
	enum space_arch arch;
	enum space_os os;
	unsigned pointer_size;       /* 4 or 8 */
	uint32_t os_major, os_minor, os_build;
	bool is_core;                /* ELF; else MDMP */
	bool is_wow64;               /* a 32-bit process dumped by a 64-bit tool: arch is X86 all the same */
	uint64_t minidump_flags;     /* MINIDUMP_TYPE */
	int64_t dump_time_s;         /* 0: unknown */
	uint32_t pid;
	int64_t process_start_s;     /* 0: unknown */
	bool has_process_times;
	uint32_t process_user_s, process_kernel_s;
	struct module *modules;      /* sorted by base */
	size_t module_count, modules_left_out;
	uint64_t main_base;          /* of the program itself among them; 0: unknown */
	struct thread *threads;
	size_t thread_count, threads_left_out;
	struct crash crash;
	bool has_requesting_thread;  /* a dump on demand says which thread asked for it */
	uint32_t requesting_thread;
	bool has_writer_thread;      /* Breakpad's own thread that wrote the dump */
	uint32_t writer_thread;
	struct range_list lists[SPACE_LISTS]; /* where memory is, the best first */
	size_t list_count;
	struct stream streams[SPACE_STREAMS_MAX];
	size_t stream_count;
	struct space_images *images; /* NULL: none */
	struct symbols *symbols;     /* .sym files; NULL: none */
	char soft[8][160];           /* what was odd but not fatal, for the report */
	size_t soft_count;
	bool torn;                   /* the file ends before what it lists */
	bool crash_torn;             /* and the record of the crash is, or may be, in what is missing */
};

/* Exactly size bytes at an address (across adjoining ranges; from images when the dump lacks them), or false. */
bool space_read(struct space *, uint64_t address, void *room, size_t size) MUST_CHECK;
bool space_u8(struct space *, uint64_t address, uint8_t *value) MUST_CHECK;
bool space_u16(struct space *, uint64_t address, uint16_t *value) MUST_CHECK;
bool space_u32(struct space *, uint64_t address, uint32_t *value) MUST_CHECK;
bool space_u64(struct space *, uint64_t address, uint64_t *value) MUST_CHECK;
bool space_pointer(struct space *, uint64_t address, uint64_t *value) MUST_CHECK; /* of the dumped process's size */

/* Up to size bytes: as many as are there from address on. */
size_t space_read_some(struct space *, uint64_t address, void *room, size_t size);

/* The range that holds an address, or the next one above; for scans. False: none. */
bool space_range_at(struct space *, uint64_t address, uint64_t *start, uint64_t *size) MUST_CHECK;

/* NULL: none. */
const struct module *space_module_at(const struct space *, uint64_t address);

/* Full name as UTF-8, ill-formed parts replaced; empty when unreadable. */
void space_module_name(struct space *, const struct module *, char room[SPACE_NAME_MAX]);

/* The part behind the last / or \. */
const char *space_short_name(const char *name);

/* Debug id as Breakpad writes it (GUID and age, of a build id its first 16 bytes and 0), "" when unknown; code id: PE
 * timestamp and image size, or the whole build id. */
void space_debug_id(struct space *, const struct module *, char room[48]);
void space_code_id(struct space *, const struct module *, char room[2 * SPACE_BUILD_ID_MAX + 1]);

/* The path of the PDB or the like by the CodeView record; empty: none. */
void space_debug_name(struct space *, const struct module *, char room[SPACE_NAME_MAX]);

/* The GNU build id of an ELF module from its notes in memory or its CodeView record; its size, 0: none. */
size_t space_build_id(struct space *, const struct module *, unsigned char room[SPACE_BUILD_ID_MAX]);

/* The index-th unloaded module (base, size, timestamp, name_at); false behind the last. */
bool space_unloaded(struct space *, uint64_t index, struct module *) MUST_CHECK;

/* The first stream of a type; NULL: none. */
const struct stream *space_stream(const struct space *, uint32_t type);

/* What Breakpad noted of a failed assertion or an invalid parameter: expression, function, file and line, as far as they
 * are there, are put behind what the text has; false: nothing. */
bool space_assertion(struct space *, struct text *) MUST_CHECK;

/* What ProcDump or WER wrote into the comment stream, as UTF-8; false: nothing. */
bool space_comment(struct space *, struct text *) MUST_CHECK;

const struct thread *space_thread(const struct space *, uint32_t id);
void space_thread_name(struct space *, const struct thread *, char room[SPACE_NAME_MAX]);

/* The registers of a thread; of the crashing one from the exception's context. False: none in the dump. */
bool space_registers(struct space *, const struct thread *, struct registers *) MUST_CHECK;

/* GetLastError of a Windows thread, from its TEB. */
bool space_last_error(struct space *, const struct thread *, uint32_t *value) MUST_CHECK;

/* Notes something odd for the report, each once (at most 8, then it counts no more). */
void space_note(struct space *, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
