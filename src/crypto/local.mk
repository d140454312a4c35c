noinst_LIBRARIES += libcc_crypto.a
libcc_crypto_a_SOURCES = \
    src/crypto/address.c src/crypto/address.h \
    src/crypto/aes.c src/crypto/aes.h \
    src/crypto/base58.c src/crypto/base58.h \
    src/crypto/bech32.c src/crypto/bech32.h \
    src/crypto/bip32.c src/crypto/bip32.h \
    src/crypto/bip39.c src/crypto/bip39.h \
    src/crypto/bip39_words.c src/crypto/bip39_words.h \
    src/crypto/chacha.c src/crypto/chacha.h \
    src/crypto/ec.c src/crypto/ec.h \
    src/crypto/hash.c src/crypto/hash.h \
    src/crypto/kdf.c src/crypto/kdf.h \
    src/crypto/mtree.c src/crypto/mtree.h \
    src/crypto/muhash.c src/crypto/muhash.h \
    src/crypto/noise.c src/crypto/noise.h \
    src/crypto/ripemd160.c \
    src/crypto/sealfield.c src/crypto/sealfield.h \
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

check_PROGRAMS += src/crypto/test/test_address
src_crypto_test_test_address_SOURCES = src/crypto/test/test_address.c
src_crypto_test_test_address_LDADD = $(TEST_SUPPORT) $(FLOOR_crypto)

check_PROGRAMS += src/crypto/test/test_cipher
src_crypto_test_test_cipher_SOURCES = src/crypto/test/test_cipher.c
src_crypto_test_test_cipher_LDADD = $(TEST_SUPPORT) $(FLOOR_crypto)

check_PROGRAMS += src/crypto/test/test_sealfield
src_crypto_test_test_sealfield_SOURCES = src/crypto/test/test_sealfield.c
src_crypto_test_test_sealfield_LDADD = $(TEST_SUPPORT) $(FLOOR_crypto)

check_PROGRAMS += src/crypto/test/test_noise
src_crypto_test_test_noise_SOURCES = src/crypto/test/test_noise.c
src_crypto_test_test_noise_LDADD = $(TEST_SUPPORT) $(FLOOR_crypto)

check_PROGRAMS += src/crypto/test/test_hd
src_crypto_test_test_hd_SOURCES = src/crypto/test/test_hd.c
src_crypto_test_test_hd_LDADD = $(TEST_SUPPORT) $(FLOOR_crypto)

check_PROGRAMS += src/crypto/test/test_muhash
src_crypto_test_test_muhash_SOURCES = src/crypto/test/test_muhash.c
src_crypto_test_test_muhash_LDADD = $(TEST_SUPPORT) $(FLOOR_crypto)
