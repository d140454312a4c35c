noinst_LIBRARIES += libcc_util.a
libcc_util_a_SOURCES = \
    src/util/amount.h \
    src/util/arena.c src/util/arena.h \
    src/util/bytes.h \
    src/util/error.c src/util/error.h \
    src/util/mem.c src/util/mem.h \
    src/util/reader.c src/util/reader.h \
    src/util/writer.c src/util/writer.h

check_PROGRAMS += src/util/test/test_bytes
src_util_test_test_bytes_SOURCES = src/util/test/test_bytes.c
src_util_test_test_bytes_LDADD = $(FLOOR_util) $(CMOCKA_LIBS)
