noinst_LIBRARIES += libcc_wallet.a
libcc_wallet_a_SOURCES =
