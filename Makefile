# Ebb.  `make run` builds and starts it, `make test` tests it; each installs
# what is missing first.

CC      ?= cc
BUILD   ?= build
PREFIX  ?= /usr/local
# What is below /usr has its configuration in /etc.
CONFDIR ?= $(if $(filter /usr /usr/,$(PREFIX)),,$(PREFIX))/etc
PAGES   ?= pages_jemalloc
CORES   := $(shell nproc 2>/dev/null || echo 1)

# What a caller gives in CFLAGS, CPPFLAGS or LDFLAGS comes last and so wins.
WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
        -Wmissing-prototypes -Wvla
HARD := -fstack-protector-strong -fstack-clash-protection
ifeq ($(SANITIZE),)
FORTIFY := -D_FORTIFY_SOURCE=2
endif
override CFLAGS   := -std=c11 -D_GNU_SOURCE -O2 -g $(WARN) $(HARD) -fPIE \
                     -fno-strict-aliasing -pthread $(SANITIZE) $(CFLAGS)
override CPPFLAGS := $(FORTIFY) -MMD -MP $(CPPFLAGS)
override LDFLAGS  := -pthread -pie -Wl,-z,relro,-z,now -Wl,--as-needed \
                     $(SANITIZE) $(LDFLAGS)

# Servers to compare with, if tests/install.sh had to put them there.
export PATH := $(PATH):$(CURDIR)/build-tools

.PHONY: all
all: $(BUILD)/ebb-server

# The parts.  A leaf is compiled with no include path at all, so it can see
# its own folder only; whatever knows several parts gets the top as its path.
LEAVES   := cache protocol conf
$(BUILD)/server/%.o $(BUILD)/tests/%.o $(BUILD)/bench/%.o: INCLUDE := -I.

sources   = $(filter-out $(1)/pages_%,$(wildcard $(1)/*.c))
objects   = $(patsubst %.c,$(BUILD)/%.o,$(call sources,$(1)))

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(INCLUDE) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

$(BUILD)/cache.a: $(call objects,cache) $(BUILD)/cache/$(PAGES).o
$(BUILD)/protocol.a: $(call objects,protocol)
$(BUILD)/conf.a: $(call objects,conf)
$(BUILD)/server.a: $(filter-out %/main.o,$(call objects,server))
$(BUILD)/%.a:
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcs $@ $^

LEAF_ARCHIVES := $(LEAVES:%=$(BUILD)/%.a)
LIBS_pages_jemalloc := -ljemalloc
CACHE_LIBS    := $(LIBS_$(PAGES))
SERVER_LIBS   := -levent -levent_pthreads $(CACHE_LIBS) -lm

$(BUILD)/ebb-server: $(BUILD)/server/main.o $(BUILD)/server.a $(LEAF_ARCHIVES)
	$(CC) $(LDFLAGS) $^ $(SERVER_LIBS) -o $@

include $(wildcard tests/tests.mk bench/bench.mk)

# ARGS: what ebb-server is to be told, as in make run ARGS="--port 7000".
.PHONY: run
run:
	@tests/install.sh build
	@$(MAKE) --no-print-directory -j$(CORES) all
	$(BUILD)/ebb-server $(ARGS)

# Made from the tables of options, metrics and commands.
.PHONY: docs
docs: $(patsubst %,$(BUILD)/tests/print_%,options metrics commands)
	@mkdir -p docs
	$< markdown >docs/options.md
	$< sample >ebb.conf
	$(BUILD)/tests/print_metrics >docs/metrics.md
	$(BUILD)/tests/print_commands >docs/commands.md

# A configuration that is there already stays.
.PHONY: install
install: all
	install -D -m 755 $(BUILD)/ebb-server $(DESTDIR)$(PREFIX)/bin/ebb-server
	test -e $(DESTDIR)$(CONFDIR)/ebb.conf || \
	    install -D -m 640 ebb.conf $(DESTDIR)$(CONFDIR)/ebb.conf
	install -d $(DESTDIR)$(PREFIX)/share/doc/ebb
	install -m 644 ebb.conf LICENSE $(wildcard README.md docs/*) \
	    $(DESTDIR)$(PREFIX)/share/doc/ebb

C_FILES := $(wildcard */*.c */*.h)
.PHONY: format tidy
format:
	@tests/install.sh format
	clang-format -i $(C_FILES)

tidy:
	@tests/install.sh build tidy
	@status=0; for part in $(LEAVES) server; do echo "$$part/"; \
	    clang-tidy --quiet $$part/*.c -- $$([ $$part = server ] && echo -I.) \
	        $(CFLAGS) 2>/dev/null || status=1; done; exit $$status

.PHONY: clean
clean:
	rm -rf build build-asan build-tsan build-fuzz build-tools

-include $(wildcard $(BUILD)/*/*.d)
