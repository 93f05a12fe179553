# The tests.  Files are found by their names:
#
#   tests/test_WORD*.c   unit tests, linked with what USES_WORD says, no more
#   tests/live_*.c       tests that start a server and talk to it
#   tests/fuzz_WORD*.c   for `make fuzz`, linked like unit tests
#   tests/*.sh, tests/node/*.mjs
#   tests/*.c            with a main(): a program; else a part of the others
#
# Each prints cmocka's counts, or a line "N passed, N failed".

USES_conf     := $(BUILD)/conf.a
USES_options  := $(BUILD)/conf.a
USES_cache    := $(BUILD)/cache.a $(CACHE_LIBS)
USES_protocol := $(BUILD)/protocol.a
USES_buf      := $(USES_protocol)
USES_parse    := $(USES_protocol)
USES_prom     := $(USES_protocol)
USES_reply    := $(USES_protocol)
USES_text     := $(USES_protocol)
USES_server   := $(BUILD)/server.a $(LEAF_ARCHIVES) $(SERVER_LIBS)
USES_metrics  := $(USES_server)
USES_dump     := $(USES_server)
USES_acl      := $(USES_server)
USES_commands := $(USES_server)

TEST_FILES    := $(filter-out tests/fuzz_%,$(wildcard tests/*.c))
TEST_MAINS    := $(shell grep -l '^int main' $(TEST_FILES))
TEST_PROGRAMS := $(TEST_MAINS:%.c=$(BUILD)/%)
UNIT_TESTS    := $(filter $(BUILD)/tests/test_%,$(TEST_PROGRAMS))
LIVE_TESTS    := $(filter $(BUILD)/tests/live_%,$(TEST_PROGRAMS))
FUZZ_TESTS    := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz_*.c))
OTHER_TESTS   := $(filter-out %/run.sh %/install.sh %/check.sh, \
                     $(wildcard tests/*.sh)) \
                 $(wildcard tests/node/*.mjs) tests/clients/all_clients.sh

# What programs share; the linker takes of it what each needs.
$(BUILD)/tests/kit.a: \
    $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(TEST_MAINS),$(TEST_FILES)))

.SECONDEXPANSION:
uses     = $(USES_$(word 2,$(subst _, ,$(notdir $(1)))))
archives = $(filter %.a,$(call uses,$(1)))

$(TEST_PROGRAMS): %: %.o $(BUILD)/tests/kit.a $$(call archives,$$@)
	$(CC) $(LDFLAGS) $< $(BUILD)/tests/kit.a $(call uses,$@) \
	    -lcmocka -lhiredis -lm -o $@

# Puts itself in the way of what asks the system for memory.
$(BUILD)/tests/test_cache_scarce: override LDFLAGS += \
    -Wl,--wrap=pages_populate,--wrap=pages_populate_huge

$(FUZZ_TESTS): %: %.o $(BUILD)/tests/kit.a $$(call archives,$$@)
	$(CC) $(LDFLAGS) -fsanitize=fuzzer $< $(BUILD)/tests/kit.a \
	    $(call uses,$@) -o $@

.PHONY: test-programs
test-programs: all $(TEST_PROGRAMS)

.PHONY: test
test:
	@tests/install.sh build test node clients
	@$(MAKE) --no-print-directory -j$(CORES) test-programs bench-programs
	@tests/run.sh $(BUILD) $(UNIT_TESTS) $(LIVE_TESTS) $(OTHER_TESTS)

# What tests/instructions.sh compares with: counted again, and stored.
.PHONY: instructions
instructions:
	@tests/install.sh build test
	@$(MAKE) --no-print-directory -j$(CORES) all $(BUILD)/tests/fixed_load
	@BUILD=$(BUILD) tests/instructions.sh write
	@cat tests/instructions.txt

# COUNT requests to Ebb and to redis-server, from another seed each time.
COUNT ?= 1000000
.PHONY: differential
differential:
	@tests/install.sh build test
	@$(MAKE) --no-print-directory -j$(CORES) all \
	    $(BUILD)/tests/live_differential
	env -u EBB_REQUIREPASS EBB_SERVER=$(BUILD)/ebb-server \
	    $(BUILD)/tests/live_differential $(COUNT)

# Clients and frameworks of npm and Debian; what they can do becomes a page.
.PHONY: clients
clients:
	@tests/install.sh build clients
	@$(MAKE) --no-print-directory -j$(CORES) all
	@EBB_SERVER=$(abspath $(BUILD))/ebb-server \
	    tests/clients/all_clients.sh docs/clients.md

.PHONY: layers
layers: $(LEAF_ARCHIVES)
	@BUILD=$(BUILD) tests/layers.sh

# The same programs under the sanitizers.  jemalloc would hide memory from
# them, so pages come from mmap.
.PHONY: asan tsan sanitized
asan: SANITIZERS := address,undefined -fno-sanitize-recover=all
tsan: SANITIZERS := thread
asan tsan:
	@tests/install.sh build test
	@$(MAKE) --no-print-directory sanitized BUILD=build-$@ \
	    PAGES=pages_mmap SANITIZE="-fsanitize=$(SANITIZERS)"

sanitized:
	@$(MAKE) --no-print-directory -j$(CORES) test-programs
	@tests/run.sh $(BUILD) $(UNIT_TESTS) $(LIVE_TESTS)

# Each for FUZZ_SECONDS, beginning with tests/corpus/WORD where there is one.
FUZZ_SECONDS ?= 60
.PHONY: fuzz fuzz-programs fuzz-run
fuzz:
	@tests/install.sh build fuzz
	@$(MAKE) --no-print-directory -j$(CORES) fuzz-programs CC=clang \
	    BUILD=build-fuzz PAGES=pages_mmap \
	    SANITIZE="-fsanitize=fuzzer-no-link,address,undefined \
	              -fno-sanitize-recover=all"
	@$(MAKE) --no-print-directory fuzz-run BUILD=build-fuzz

fuzz-programs: $(FUZZ_TESTS)

fuzz-run:
	@for program in $(FUZZ_TESTS); do \
	    word=$${program##*/fuzz_}; found=$(BUILD)/corpus/$$word; \
	    seeds=tests/corpus/$$word; test -d $$seeds || seeds=; \
	    mkdir -p $$found; echo "fuzz_$$word: $(FUZZ_SECONDS) s"; \
	    $$program -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 \
	        -artifact_prefix=$(BUILD)/ $$found $$seeds >$$found.log 2>&1 \
	        || { tail -50 $$found.log; exit 1; }; \
	    grep -E 'number_of_executed_units' $$found.log; done
