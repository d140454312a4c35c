noinst_LIBRARIES += libcc_net.a
libcc_net_a_SOURCES = \
    src/net/net.h \
    src/net/netaddr.h \
    src/net/proto.h
