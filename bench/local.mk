# Benchmarks, under --enable-bench: bench/bench [-filter=] [-json].
EXTRA_PROGRAMS += bench/bench
bench_bench_SOURCES = \
    bench/bench.c bench/bench.h \
    bench/bench_chain.c \
    bench/bench_consensus.c \
    bench/bench_crypto.c \
    bench/bench_storage.c \
    $(STORAGE_TEST_SUPPORT)
bench_bench_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/bench
bench_bench_LDADD = $(TEST_SUPPORT) $(FLOOR_storage)
if ENABLE_BENCH
noinst_PROGRAMS += bench/bench
endif
