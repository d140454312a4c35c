noinst_LIBRARIES += libcc_crypto.a
libcc_crypto_a_SOURCES =
