/* SPDX-License-Identifier: MIT */
/* The strings and signatures were made by an independent signer whose requests Azurite accepts. */
#include "azure/sharedkey.h"

#include "unit.h"

#define KEY "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
#define DATE "Sat, 21 Nov 2026 14:05:33 GMT"

static void
check(const struct sharedkey_request *request, const char *string, const char *signature)
{
	char got[2048], signed_as[64];
	struct text text = text_in(got, sizeof got), base64 = text_in(signed_as, sizeof signed_as);
	struct sharedkey key;
	struct fault fault;
	fault_clear(&fault);
	CHECK(sharedkey_open(&key, request->account, KEY, &fault));
	sharedkey_put_string(&text, request);
	CHECK_TEXT(got, string);
	sharedkey_put_signature(&base64, &key, text_span(&text));
	CHECK_TEXT(signed_as, signature);
	CHECK(!text.cut);
	sharedkey_close(&key);
	CHECK(key.count == 0 && key.key[0] == 0);
}

static void
signs_a_block_of_the_emulator(void)
{
	const struct sharedkey_request request = {
		"devstoreaccount1", "PUT", span_of("/devstoreaccount1/dumps/a/b.dmp?comp=block&blockid=MTIzNDU2NzgwMDAwMDAx"),
		span_of("x-ms-version: 2021-12-02\r\nx-ms-date: " DATE "\r\nx-ms-client-request-id: r-1\r\n"), 4194304};
	check(&request,
	      "PUT\n\n\n4194304\n\n\n\n\n\n\n\n\nx-ms-client-request-id:r-1\nx-ms-date:" DATE "\nx-ms-version:2021-12-02\n"
	      "/devstoreaccount1/devstoreaccount1/dumps/a/b.dmp\nblockid:MTIzNDU2NzgwMDAwMDAx\ncomp:block",
	      "tkiuAO788Gp4yKvP+NJtjEWFg7b8p4z5Qu+FxiegrcA=");
}

static void
signs_the_path_as_on_the_wire(void)
{
	const struct sharedkey_request request = {"acct", "HEAD", span_of("/dumps/a%20b.dmp"),
	                                          span_of("x-ms-version: 2021-12-02\r\nx-ms-date: " DATE "\r\n"), 0};
	check(&request, "HEAD\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:" DATE "\nx-ms-version:2021-12-02\n/acct/dumps/a%20b.dmp",
	      "sbDYEEF/qn0/MloEwTuhnI1R6CSM6vdec7urmLbDTjo=");
}

static void
signs_a_commit(void)
{
	const struct sharedkey_request request = {
		"acct", "PUT", span_of("/dumps/x.dmp?comp=blocklist"),
		span_of("x-ms-version: 2021-12-02\r\nx-ms-date: " DATE "\r\nContent-Type: application/xml\r\n"
	            "x-ms-blob-content-type: application/octet-stream\r\nif-none-match: *\r\n"
	            "x-ms-blob-content-disposition: attachment; filename=\"x.dmp\"\r\nX-MS-Meta-Pid:  4292 \r\n"
	            "x-ms-meta-uploadid: 77\r\n"), 123};
	check(&request,
	      "PUT\n\n\n123\n\napplication/xml\n\n\n\n*\n\n\nx-ms-blob-content-disposition:attachment; filename=\"x.dmp\"\n"
	      "x-ms-blob-content-type:application/octet-stream\nx-ms-date:" DATE "\nx-ms-meta-pid:4292\nx-ms-meta-uploadid:77\n"
	      "x-ms-version:2021-12-02\n/acct/dumps/x.dmp\ncomp:blocklist",
	      "iIJ/yuf2rBCmyOw9hxWxEEpBnnLoafGcrzEnNQ3sHwo=");
}

static void
signs_decoded_parameters(void)
{
	const struct sharedkey_request request = {"acct", "PUT", span_of("/c/b?COMP=block&blockid=a%2Bb%2Fc%3D"),
	                                          span_of("x-ms-date: " DATE "\r\n"), 0};
	check(&request, "PUT\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:" DATE "\n/acct/c/b\nblockid:a+b/c=\ncomp:block",
	      "C7ZYBFlIgkJnGba/1ZquQOT1m5djE0tIdjreDdAPN5Y=");
}

static void
says_when_the_string_is_cut(void)
{
	char room[64];
	struct text text = text_in(room, sizeof room);
	sharedkey_put_string(&text, &(struct sharedkey_request){"acct", "PUT", span_of("/container/a-name-that-is-rather-long-for-this"),
	                                                        span_of(""), 1});
	CHECK(text.cut);
}

static void
refuses(const char *account, const char *key)
{
	struct sharedkey shared;
	struct fault fault;
	fault_clear(&fault);
	CHECK(!sharedkey_open(&shared, account, key, &fault));
	CHECK(fault.kind == FAULT_USAGE);
	CHECK(key[0] == 0 || strstr(fault.text, key) == NULL);
	CHECK(shared.count == 0);
}

static void
refuses_what_is_no_key(void)
{
	char account[ACCOUNT_MAX + 2];
	refuses("acct", "");
	refuses("acct", "short");
	refuses("acct", "DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=AAAA");
	refuses("acct", "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB QUFB");
	memset(account, 'a', sizeof account);
	account[ACCOUNT_MAX + 1] = 0;
	refuses(account, KEY);
}

static void
takes_a_key_with_its_line_end(void)
{
	struct sharedkey key;
	struct fault fault;
	fault_clear(&fault);
	CHECK(sharedkey_open(&key, "acct", KEY "\r\n", &fault));
	CHECK(key.count == 64);
}

int
main(void)
{
	UNIT_RUN(signs_a_block_of_the_emulator);
	UNIT_RUN(signs_the_path_as_on_the_wire);
	UNIT_RUN(signs_a_commit);
	UNIT_RUN(signs_decoded_parameters);
	UNIT_RUN(says_when_the_string_is_cut);
	UNIT_RUN(refuses_what_is_no_key);
	UNIT_RUN(takes_a_key_with_its_line_end);
	return unit_end();
}
