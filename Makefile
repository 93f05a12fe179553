# Ebb.  `make run` builds and starts it, `make test` tests it; each installs
# what is missing first.

CC       ?= cc
BUILD    ?= build
OPT      ?= -O2 -g
WARN     ?= -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
            -Wmissing-prototypes -Wvla
CFLAGS   += -std=c11 -D_GNU_SOURCE $(OPT) $(WARN) -fno-strict-aliasing \
            -pthread -MMD -MP $(SANITIZE)
LDFLAGS  += -pthread $(SANITIZE)
PAGES    ?= pages_jemalloc

# The parts.  A leaf is compiled with no include path at all, so it can see
# its own folder only; whatever knows several parts gets the top as its path.
LEAVES   := cache protocol conf
$(BUILD)/server/%.o $(BUILD)/tests/%.o $(BUILD)/bench/%.o: CPPFLAGS += -I.

sources   = $(filter-out $(1)/pages_%,$(wildcard $(1)/*.c))
objects   = $(patsubst %.c,$(BUILD)/%.o,$(call sources,$(1)))

.PHONY: all
all: $(BUILD)/ebb-server

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

$(BUILD)/cache.a: $(call objects,cache) $(BUILD)/cache/$(PAGES).o
$(BUILD)/protocol.a: $(call objects,protocol)
$(BUILD)/conf.a: $(call objects,conf)
$(BUILD)/%.a:
	@rm -f $@
	$(AR) rcs $@ $^

JEMALLOC_pages_jemalloc := -ljemalloc
LIBS      = -levent -levent_pthreads $(JEMALLOC_$(PAGES)) -lm

$(BUILD)/ebb-server: $(call objects,server) $(LEAVES:%=$(BUILD)/%.a)
	$(CC) $(LDFLAGS) $^ $(LIBS) -o $@

.PHONY: clean
clean:
	rm -rf build build-*

-include $(wildcard $(BUILD)/*/*.d)
