noinst_LIBRARIES += libcc_chain.a
libcc_chain_a_SOURCES =
