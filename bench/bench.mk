# The bench programs.  A file with a main() is a program; the others are a kit
# of which the linker takes what each needs.

BENCH_FILES    := $(wildcard bench/*.c)
BENCH_MAINS    := $(shell grep -l '^int main' $(BENCH_FILES))
BENCH_PROGRAMS := $(BENCH_MAINS:%.c=$(BUILD)/%)

.PHONY: bench bench-programs
bench-programs: $(BENCH_PROGRAMS)

# QUICK=quick: small sizes, to see that everything works.  PEER: the command of
# one more server for the load, as bench/run.sh says.
bench: export PEER := $(PEER)
bench:
	@tests/install.sh build bench
	@$(MAKE) --no-print-directory -j$(CORES) all bench-programs
	@bench/run.sh $(BUILD) $(QUICK)

# The cache alone, beside what was kept as text; KEEP=1 keeps this.
CACHE_KEPT := bench/results/cache.txt
.PHONY: bench-cache
bench-cache: $(patsubst %,$(BUILD)/bench/%,cache cache_scale cache_holds)
	@{ $(BUILD)/bench/cache $(if $(wildcard $(CACHE_KEPT)),--baseline \
	    $(CACHE_KEPT)) && echo && $(BUILD)/bench/cache_scale && \
	    echo && $(BUILD)/bench/cache_holds; } \
	    | tee $(BUILD)/bench/cache.txt
	@$(if $(KEEP),mkdir -p $(dir $(CACHE_KEPT)) && \
	    cp $(BUILD)/bench/cache.txt $(CACHE_KEPT))

# The README's chart: `make load` measures, keeps the medians as text and draws
# them, `make chart` only draws.  LOAD: more arguments.  It wants a quiet machine.
LOAD_KEPT := bench/results/load.csv
.PHONY: load chart
load: export PEER := $(PEER)
load:
	@tests/install.sh build bench
	@$(MAKE) --no-print-directory -j$(CORES) all bench-programs
	@mkdir -p $(dir $(LOAD_KEPT))
	$(BUILD)/bench/load --depths 1,2,5,10,20,50 --seconds 4 --peer "$$PEER" \
	    --csv $(LOAD_KEPT) $(LOAD)
	@$(MAKE) --no-print-directory chart

chart: $(BUILD)/bench/plot
	$< --of load --csv $(LOAD_KEPT) --svg docs/load.svg

# Ten minutes of everything at once in a control group; SOAK: its arguments.
.PHONY: soak
soak:
	@tests/install.sh build
	@$(MAKE) --no-print-directory -j$(CORES) all bench-programs
	$(BUILD)/bench/limit $(SOAK)

$(BUILD)/bench/kit.a: \
    $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(BENCH_MAINS),$(BENCH_FILES)))

IN_PROCESS := $(patsubst %,$(BUILD)/bench/%,cache cache_scale steps sets)
$(IN_PROCESS): $(BUILD)/cache.a
$(IN_PROCESS): BENCH_LIBS := $(CACHE_LIBS)

# A cache whose locks tell how long they were held.
TIMED := $(patsubst $(BUILD)/%,$(BUILD)/timed/%,\
    $(call objects,cache) $(BUILD)/cache/$(PAGES).o)
$(BUILD)/timed/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -DLOCK_TIMED -c $< -o $@
$(BUILD)/bench/cache_holds.o: override CPPFLAGS += -DLOCK_TIMED
$(BUILD)/bench/cache_holds: $(TIMED)
$(BUILD)/bench/cache_holds: BENCH_LIBS := $(CACHE_LIBS)
-include $(wildcard $(BUILD)/timed/cache/*.d)

$(BENCH_PROGRAMS): %: %.o $(BUILD)/bench/kit.a
	$(CC) $(LDFLAGS) $^ $(BENCH_LIBS) -lm -o $@
