noinst_LIBRARIES += libcc_mempool.a
libcc_mempool_a_SOURCES =
