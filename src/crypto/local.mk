noinst_LIBRARIES += libcc_crypto.a
libcc_crypto_a_SOURCES = \
    src/crypto/ec.c src/crypto/ec.h \
    src/crypto/hash.c src/crypto/hash.h \
    src/crypto/mtree.c src/crypto/mtree.h \
    src/crypto/ripemd160.c \
    src/crypto/sha256.c src/crypto/sha256_impl.h \
    src/crypto/sha256_avx512.c \
    src/crypto/sha256_portable.c \
    src/crypto/sha256_shani.c

check_PROGRAMS += src/crypto/test/test_hash
src_crypto_test_test_hash_SOURCES = src/crypto/test/test_hash.c
src_crypto_test_test_hash_LDADD = $(TEST_SUPPORT) $(FLOOR_crypto)

check_PROGRAMS += src/crypto/test/test_mtree
src_crypto_test_test_mtree_SOURCES = src/crypto/test/test_mtree.c
src_crypto_test_test_mtree_LDADD = $(TEST_SUPPORT) $(FLOOR_crypto)

check_PROGRAMS += src/crypto/test/test_ec
src_crypto_test_test_ec_SOURCES = src/crypto/test/test_ec.c
src_crypto_test_test_ec_LDADD = $(TEST_SUPPORT) $(FLOOR_crypto)
