# kudump: `make` builds the static binary build/kudump with musl. Others:
#   make CC=gcc | CC=clang            dynamic build for this machine in build/CC/
#   make CC=clang SAN=address,undefined   the same under sanitizers, in build/clang-address,undefined/
#   make unit | story | test          the tests; `make torture`, `make bench`, `make fuzz` the long ones
#   make fuzz-coverage                how much of its rooms each fuzz target runs through
CC = musl-gcc
SAN =
COVERAGE =
.DEFAULT_GOAL := all

ifneq ($(findstring musl,$(CC)),)
out = build
OPT = -Os -fno-pie -fstack-usage -fno-asynchronous-unwind-tables
LDFLAGS = -static -Wl,--gc-sections -Wl,-z,noexecstack -Wl,-z,relro -Wl,-z,noseparate-code -s
else
out = build/$(CC)$(if $(SAN),-$(SAN))$(if $(COVERAGE),-coverage)
OPT = -g -O1
LDFLAGS =
endif

WARN = -Wall -Wextra -Wpedantic -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wconversion -Wundef -Wformat=2 -Werror
CFLAGS = -std=c99 -D_POSIX_C_SOURCE=200809L $(OPT) $(WARN) -fstack-protector-strong -ffunction-sections -fdata-sections
SANFLAGS = $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer) $(if $(COVERAGE),-fprofile-instr-generate -fcoverage-mapping)
INCLUDES = -Isrc -isystem vendor/bearssl/inc -isystem vendor/jsmn

# The list of BearSSL's files is made after they are fetched; make then reads everything once more.
ifneq ($(MAKECMDGOALS),clean)
include build/gen/vendor.mk
endif
build/gen/vendor.mk: vendor/pins | vendor/bearssl/.from vendor/jsmn/.from
	@vendor/fetch.sh
	@mkdir -p $(@D)
	@echo "bearssl_src :=" $$(ls vendor/bearssl/src/*.c vendor/bearssl/src/*/*.c) > $@

vendor/bearssl/.from vendor/jsmn/.from:
	@vendor/fetch.sh

# BearSSL is built once for musl, once for glibc and once a compiler for runs under AddressSanitizer.
ifneq ($(findstring address,$(SAN)),)
bearssl_at := build/bearssl-address-$(CC)
bearssl_san := -fsanitize=address -fno-omit-frame-pointer
else
bearssl_at := $(if $(findstring musl,$(CC)),build/bearssl,build/bearssl-glibc)
bearssl_san :=
endif
bearssl_obj := $(patsubst vendor/bearssl/src/%.c,$(bearssl_at)/%.o,$(bearssl_src))
bearssl := $(bearssl_at)/libbearssl.a

sources := $(wildcard src/*/*.c)
objects := $(patsubst src/%.c,$(out)/obj/%.o,$(sources)) $(out)/obj/roots.o
program := $(out)/kudump

all: $(program)

$(program): $(out)/obj/main.o $(objects) $(bearssl)
	@echo "LD   $@"
	@$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ -lpthread

# Small is good, but every byte of a dump goes through these.
$(addprefix build/obj/,base/digest.o base/flow.o base/json_scan.o http/body.o net/tls.o net/conn.o): OPT := $(OPT:-Os=-O2)

$(out)/obj/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	@echo "CC   $<"
	@$(CC) $(CFLAGS) $(SANFLAGS) $(INCLUDES) -MMD -MP -c -o $@ $<

# The Azure roots among Debian's CA certificates, as bytes.
build/gen/roots.c: vendor/roots.sh
	@mkdir -p $(@D)
	@vendor/roots.sh > $@.new && mv $@.new $@

$(out)/obj/roots.o: build/gen/roots.c
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $(SANFLAGS) $(INCLUDES) -c -o $@ $<

# BearSSL is built without our warnings, for size where it is not about bulk data; gcc vectorises its SHA-1 to half its
# speed.
$(bearssl_at)/%.o: vendor/bearssl/src/%.c Makefile
	@mkdir -p $(@D)
	@$(CC) $(if $(filter symcipher hash,$(notdir $(patsubst %/,%,$(dir $<)))),-O2,-Os) -w $(if $(findstring musl,$(CC)),-fno-pie -fno-asynchronous-unwind-tables) $(bearssl_san) -ffunction-sections -fdata-sections -Ivendor/bearssl/inc -Ivendor/bearssl/src $(if $(findstring sha1.c,$<),-fno-tree-vectorize) -c -o $@ $<

$(bearssl): $(bearssl_obj)
	@echo "AR   $@"
	@rm -f $@ && ar rcs $@ $^

# Unit tests: tests/unit/<floor>_<room>.c sees only its floor and those below it, and the linker proves it.
floors := base net http azure dump job cmd
below_base := base
below_net := base net
below_http := base net http
below_azure := base net http azure
below_dump := base dump
below_job := base net http azure dump job
below_cmd := base net http azure dump job cmd
units := $(patsubst tests/unit/%.c,$(out)/unit/%,$(wildcard tests/unit/*_*.c))

define floor_rule
$(out)/lib$(1).a: $(filter $(foreach f,$(below_$(1)),$(out)/obj/$(f)/%),$(objects)) $(if $(filter net http azure job cmd,$(1)),$(out)/obj/roots.o)
	@rm -f $$@ && ar rcs $$@ $$^
$(out)/unit/$(1)_%: tests/unit/$(1)_%.c $(wildcard tests/unit/*.h) $(out)/lib$(1).a $$(bearssl)
	@mkdir -p $$(@D)
	@echo "UNIT $$<"
	@$$(CC) $$(CFLAGS) $$(SANFLAGS) $$(INCLUDES) -Itests/unit $$(LDFLAGS) -o $$@ $$< $(out)/lib$(1).a $$(bearssl) -lpthread
endef
$(foreach f,$(floors),$(eval $(call floor_rule,$(f))))

unit: $(units)
	@tests/run-units $(units)

# Clients that stories run by themselves: floor net and below.
$(out)/story/%: tests/story/%.c $(out)/libnet.a $(bearssl)
	@mkdir -p $(@D)
	@echo "STORY $<"
	@$(CC) $(CFLAGS) $(SANFLAGS) $(INCLUDES) $(LDFLAGS) -o $@ $< $(out)/libnet.a $(bearssl) -lpthread

# All targets are built by one make under the sanitizers: two at once would make the same objects. With COVERAGE they count
# the lines they run through instead.
fuzz_at := build/fuzz$(if $(COVERAGE),-coverage)
ifneq ($(findstring fuzzer,$(SAN)),)
$(fuzz_at)/%: tests/fuzz/%.c $(wildcard tests/fuzz/*.h tests/unit/*.h) $(out)/libcmd.a $(bearssl)
	@mkdir -p $(@D)
	@echo "FUZZ $<"
	@$(CC) $(CFLAGS) -Wno-missing-prototypes $(INCLUDES) $(SANFLAGS) -fsanitize=fuzzer -o $@ $< $(out)/libcmd.a $(bearssl) -lpthread
fuzzers: $(patsubst tests/fuzz/%.c,$(fuzz_at)/%,$(wildcard tests/fuzz/*.c))
else
fuzzers:
	@$(MAKE) --no-print-directory CC=clang SAN=fuzzer-no-link$(if $(COVERAGE),,$(comma)address$(comma)undefined) fuzzers
endif
comma := ,

fuzz: fuzzers
	@tests/fuzz/run $(FUZZ_SECONDS)
fuzz-coverage:
	@+tests/fuzz/coverage

story: all
	@TESTS=story tests/run
test:
	@tests/run
torture: all
	@tests/torture/run
bench: all
	@tests/bench/run
	@tests/bench/checks

clean:
	rm -rf build

.PHONY: all unit story test fuzz fuzzers fuzz-coverage torture bench clean
.SECONDARY:
-include $(wildcard $(out)/obj/*.d $(out)/obj/*/*.d)
