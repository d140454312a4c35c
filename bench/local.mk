# Benchmarks, under --enable-bench: bench/bench [-filter=] [-json]; and what
# bench/node.py measures whole nodes with.
EXTRA_PROGRAMS += bench/bench bench/make_chain
bench_common = bench/bench.h bench/common.c
bench_bench_SOURCES = \
    bench/bench.c $(bench_common) \
    bench/bench_chain.c \
    bench/bench_consensus.c \
    bench/bench_crypto.c \
    bench/bench_storage.c \
    $(STORAGE_TEST_SUPPORT)
bench_bench_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/bench
bench_bench_LDADD = $(TEST_SUPPORT) $(FLOOR_storage)
bench_make_chain_SOURCES = bench/make_chain.c $(bench_common)
bench_make_chain_CPPFLAGS = $(bench_bench_CPPFLAGS)
bench_make_chain_LDADD = $(FLOOR_chain)
EXTRA_DIST += bench/node.py
if ENABLE_BENCH
noinst_PROGRAMS += bench/bench bench/make_chain
endif
