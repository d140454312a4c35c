noinst_LIBRARIES += libcc_util.a
libcc_util_a_SOURCES = \
    src/util/amount.c src/util/amount.h \
    src/util/arena.c src/util/arena.h \
    src/util/bytes.h \
    src/util/clock.c src/util/clock.h \
    src/util/error.c src/util/error.h \
    src/util/fs.c src/util/fs.h \
    src/util/hex.c src/util/hex.h \
    src/util/log.c src/util/log.h \
    src/util/map.c src/util/map.h \
    src/util/mem.c src/util/mem.h \
    src/util/pool.c src/util/pool.h \
    src/util/random.c src/util/random.h \
    src/util/reader.c src/util/reader.h \
    src/util/siphash.c src/util/siphash.h \
    src/util/u256.c src/util/u256.h \
    src/util/writer.c src/util/writer.h

check_PROGRAMS += src/util/test/test_bytes
src_util_test_test_bytes_SOURCES = src/util/test/test_bytes.c
src_util_test_test_bytes_LDADD = $(FLOOR_util) $(CMOCKA_LIBS)
