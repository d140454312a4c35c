# Fuzz targets: replayed over their corpus by make check, and driven by
# libFuzzer under --enable-fuzz (CC=clang).
FUZZ_SOURCES = \
    test/fuzz/fuzz.h \
    test/fuzz/fuzz_consensus.c \
    test/fuzz/fuzz_crypto.c \
    test/fuzz/fuzz_net.c \
    test/fuzz/fuzz_node.c \
    test/fuzz/fuzz_renter.c \
    test/fuzz/fuzz_upper.c \
    test/fuzz/fuzz_util.c \
    test/fuzz/targets.c
EXTRA_DIST += test/fuzz/corpus test/fuzz/make_corpus.py

EXTRA_PROGRAMS += test/fuzz/fuzz
test_fuzz_fuzz_SOURCES = test/fuzz/libfuzzer.c $(FUZZ_SOURCES)
test_fuzz_fuzz_LDADD = $(FLOOR_rpc)
test_fuzz_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
if ENABLE_FUZZ
noinst_PROGRAMS += test/fuzz/fuzz
endif

check_PROGRAMS += test/fuzz/replay
test_fuzz_replay_SOURCES = test/fuzz/replay.c $(FUZZ_SOURCES)
test_fuzz_replay_CPPFLAGS = $(AM_CPPFLAGS) \
    '-DCC_FUZZ_CORPUS="$(abs_srcdir)/test/fuzz/corpus"'
test_fuzz_replay_LDADD = $(FLOOR_rpc)
