noinst_LIBRARIES += libcc_rpc.a
libcc_rpc_a_SOURCES =
