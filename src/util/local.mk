noinst_LIBRARIES += libcc_util.a
libcc_util_a_SOURCES = \
    src/util/amount.c src/util/amount.h \
    src/util/arena.c src/util/arena.h \
    src/util/args.c src/util/args.h src/util/args_i.h \
    src/util/args_help.c \
    src/util/base64.c src/util/base64.h \
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
src_util_test_test_bytes_LDADD = $(TEST_SUPPORT) $(FLOOR_util)

check_PROGRAMS += src/util/test/test_args
src_util_test_test_args_SOURCES = src/util/test/test_args.c
src_util_test_test_args_LDADD = $(TEST_SUPPORT) $(FLOOR_util)

check_PROGRAMS += src/util/test/test_fs
src_util_test_test_fs_SOURCES = src/util/test/test_fs.c
src_util_test_test_fs_LDADD = $(TEST_SUPPORT) $(FLOOR_util)

check_PROGRAMS += src/util/test/test_log
src_util_test_test_log_SOURCES = src/util/test/test_log.c
src_util_test_test_log_LDADD = $(TEST_SUPPORT) $(FLOOR_util)

check_PROGRAMS += src/util/test/test_map
src_util_test_test_map_SOURCES = src/util/test/test_map.c
src_util_test_test_map_LDADD = $(TEST_SUPPORT) $(FLOOR_util)

check_PROGRAMS += src/util/test/test_numbers
src_util_test_test_numbers_SOURCES = src/util/test/test_numbers.c
src_util_test_test_numbers_LDADD = $(TEST_SUPPORT) $(FLOOR_util)

check_PROGRAMS += src/util/test/test_pool
src_util_test_test_pool_SOURCES = src/util/test/test_pool.c
src_util_test_test_pool_LDADD = $(TEST_SUPPORT) $(FLOOR_util)
