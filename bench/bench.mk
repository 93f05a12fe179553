# The bench programs: one file each, over a kit that all of them share.

BENCH_PROGRAMS := load generate floor shrink churn density plot
BENCH_KIT      := args table keys hist wire host peer drive work sampler
BENCH_BINS     := $(BENCH_PROGRAMS:%=$(BUILD)/bench/%)

.PHONY: bench bench-programs
bench-programs: $(BENCH_BINS)
bench: all bench-programs
	bench/run.sh $(BUILD)

$(BENCH_BINS): $(BUILD)/bench/%: $(BUILD)/bench/%.o \
               $(BENCH_KIT:%=$(BUILD)/bench/%.o)
	$(CC) $(LDFLAGS) $^ -lm -o $@
