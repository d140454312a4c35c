noinst_LIBRARIES += libcc_net.a
libcc_net_a_SOURCES =
