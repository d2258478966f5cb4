/* SPDX-License-Identifier: MIT */
#include "job/facts.h"

#include "unit.h"

static struct facts
example(void)
{
	struct facts facts = {.site = "contoso", .instance = "a1b2c3d4e5", .machine = "RD0003FFA1B2C3", .process = "w3wp",
	                      .pid = 4292, .type = 2, .id = "0123456789abcdef", .started_s = 1795269933, .ended_s = 1795269940,
	                      .began_ms = 1000, .ended_ms = 8250, .bytes = 67108864};
	return facts;
}

static const char *
name_of(const char *words, const struct facts *facts, struct fault *fault)
{
	static char room[1024];
	struct text text = text_in(room, sizeof room);
	fault_clear(fault);
	return facts_put_name(&text, words, facts, fault) ? room : NULL;
}

static void
names_follow_the_template(void)
{
	struct facts facts = example();
	struct fault fault;
	CHECK_TEXT(name_of("{date}/{time}-{process}-{pid}-{instance}.dmp", &facts, &fault),
	           "2026-11-21/140533Z-w3wp-4292-a1b2c3.dmp");
	CHECK_TEXT(name_of("{site}_{machine}_{type}_{id}", &facts, &fault), "contoso_RD0003FFA1B2C3_full_0123456789abcdef");
	facts.type = 6178;
	facts.instance[0] = 0;
	CHECK_TEXT(name_of("x{type}-{instance}", &facts, &fault), "x6178-unknown");
}

static void
server_text_is_tamed(void)
{
	struct facts facts = example();
	struct fault fault;
	strcpy(facts.process, "../../e\x1b[2Jtc/pa ss");
	CHECK_TEXT(name_of("{process}.dmp", &facts, &fault), "_._.._e__2Jtc_pa_ss.dmp");
	strcpy(facts.process, "-rf");
	CHECK_TEXT(name_of("{process}", &facts, &fault), "_rf");
	strcpy(facts.process, "caf\xc3\xa9");
	CHECK_TEXT(name_of("{process}", &facts, &fault), "caf__");
	facts.process[0] = 0;
	CHECK_TEXT(name_of("{process}", &facts, &fault), "unknown");
	strcpy(facts.process, "..");
	CHECK_TEXT(name_of("{process}", &facts, &fault), "_.");
}

static void
refused(const char *words)
{
	struct fault fault;
	fault_clear(&fault);
	CHECK(!facts_check_template(words, &fault) && fault.kind == FAULT_USAGE);
	CHECK(fault.text[0] != 0);
}

static void
bad_templates_are_refused(void)
{
	struct fault fault;
	char longest[300];
	refused("");
	refused("/abs");
	refused("a/");
	refused("a//b");
	refused("./a");
	refused("a/../b");
	refused("{what}");
	refused("{date");
	refused("date}");
	refused("a\\b");
	refused("a\nb");
	memset(longest, 'a', sizeof longest);
	longest[200] = 0;
	fault_clear(&fault);
	CHECK(facts_check_template(longest, &fault));
	longest[200] = 'a';
	longest[201] = 0;
	refused(longest);
}

static void
json_has_the_contract_members(void)
{
	struct facts facts = example();
	char room[1024];
	struct text text = text_in(room, sizeof room);
	strcpy(facts.process, "a\"b\n\xff");
	facts_put_json(&text, &facts);
	CHECK_TEXT(room, "\"site\":\"contoso\",\"instance\":\"a1b2c3d4e5\",\"machine\":\"RD0003FFA1B2C3\",\"pid\":4292,"
	                 "\"process\":\"a\\\"b\\u000a\\ufffd\",\"type\":2,\"bytes\":67108864,"
	                 "\"started\":\"2026-11-21T14:05:33Z\",\"ended\":\"2026-11-21T14:05:40Z\",\"seconds\":7.250,"
	                 "\"id\":\"0123456789abcdef\"");
}

static void
types_are_read(void)
{
	unsigned type = 99;
	CHECK(facts_read_type("mini", &type) && type == 1);
	CHECK(facts_read_type("full", &type) && type == 2);
	CHECK(facts_read_type("triage", &type) && type == 0);
	CHECK(facts_read_type("6178", &type) && type == 6178);
	CHECK(facts_read_type("2147483647", &type) && type == 2147483647);
	CHECK(!facts_read_type("2147483648", &type));
	CHECK(!facts_read_type("", &type) && !facts_read_type("Full", &type) && !facts_read_type("-1", &type));
}

int
main(void)
{
	UNIT_RUN(names_follow_the_template);
	UNIT_RUN(server_text_is_tamed);
	UNIT_RUN(bad_templates_are_refused);
	UNIT_RUN(json_has_the_contract_members);
	UNIT_RUN(types_are_read);
	return unit_end();
}
