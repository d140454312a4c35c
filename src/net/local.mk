noinst_LIBRARIES += libcc_net.a
libcc_net_a_SOURCES = \
    src/net/addrbook.c src/net/addrbook.h src/net/addrbook_i.h \
    src/net/addrfile.c src/net/addrfile.h \
    src/net/announce.c \
    src/net/asmap.c src/net/asmap.h \
    src/net/banlist.c src/net/banlist.h \
    src/net/bloom.c src/net/bloom.h \
    src/net/capture.c src/net/capture.h \
    src/net/cfilters.c \
    src/net/cmpct.c \
    src/net/compact.c src/net/compact.h \
    src/net/conn.c src/net/conn.h src/net/conn_i.h \
    src/net/conn_i2p.c \
    src/net/connect.c \
    src/net/evict.c src/net/evict.h \
    src/net/filter.c \
    src/net/gossip.c \
    src/net/headers.c \
    src/net/i2p.c src/net/i2p.h \
    src/net/incoming.c src/net/incoming.h \
    src/net/info.c src/net/info_book.c \
    src/net/latest.c \
    src/net/listen.c \
    src/net/loop.c src/net/loop.h \
    src/net/net.c src/net/net.h \
    src/net/netaddr.c src/net/netaddr.h \
    src/net/news.c \
    src/net/node.h \
    src/net/onion.c \
    src/net/orphans.c src/net/orphans.h \
    src/net/peer.c \
    src/net/presync.c src/net/presync.h \
    src/net/proto.c src/net/proto.h \
    src/net/reach.c src/net/reach.h \
    src/net/reconcile.c \
    src/net/recent.c src/net/recent.h \
    src/net/relay.c \
    src/net/sam.c src/net/sam.h \
    src/net/seek.c \
    src/net/serve.c \
    src/net/socks5.c src/net/socks5.h \
    src/net/sync.c \
    src/net/timedata.c src/net/timedata.h \
    src/net/tor.c src/net/tor.h \
    src/net/torctl.c src/net/torctl.h \
    src/net/txrequest.c src/net/txrequest.h

check_PROGRAMS += src/net/test/test_nodes
src_net_test_test_nodes_SOURCES = src/net/test/test_nodes.c \
    src/net/test/nodes.c src/net/test/nodes.h
src_net_test_test_nodes_LDADD = $(TEST_SUPPORT) $(FLOOR_net)

check_PROGRAMS += src/net/test/test_asmap
src_net_test_test_asmap_SOURCES = src/net/test/test_asmap.c
src_net_test_test_asmap_LDADD = $(TEST_SUPPORT) $(FLOOR_net)

check_PROGRAMS += src/net/test/test_proto
src_net_test_test_proto_SOURCES = src/net/test/test_proto.c
src_net_test_test_proto_LDADD = $(TEST_SUPPORT) $(FLOOR_net)

check_PROGRAMS += src/net/test/test_addresses
src_net_test_test_addresses_SOURCES = src/net/test/test_addresses.c
src_net_test_test_addresses_LDADD = $(TEST_SUPPORT) $(FLOOR_net)

check_PROGRAMS += src/net/test/test_tables
src_net_test_test_tables_SOURCES = src/net/test/test_tables.c
src_net_test_test_tables_LDADD = $(TEST_SUPPORT) $(FLOOR_net)

check_PROGRAMS += src/net/test/test_presync
src_net_test_test_presync_SOURCES = src/net/test/test_presync.c
src_net_test_test_presync_LDADD = $(TEST_SUPPORT) $(FLOOR_net)

check_PROGRAMS += src/net/test/test_compact
src_net_test_test_compact_SOURCES = src/net/test/test_compact.c
src_net_test_test_compact_LDADD = $(TEST_SUPPORT) $(FLOOR_net)

check_PROGRAMS += src/net/test/test_reach
src_net_test_test_reach_SOURCES = src/net/test/test_reach.c
src_net_test_test_reach_LDADD = $(TEST_SUPPORT) $(FLOOR_net)

check_PROGRAMS += src/net/test/test_book
src_net_test_test_book_SOURCES = src/net/test/test_book.c
src_net_test_test_book_LDADD = $(TEST_SUPPORT) $(FLOOR_net)

check_PROGRAMS += src/net/test/test_bloom
src_net_test_test_bloom_SOURCES = src/net/test/test_bloom.c
src_net_test_test_bloom_LDADD = $(TEST_SUPPORT) $(FLOOR_net)

check_PROGRAMS += src/net/test/test_incoming
src_net_test_test_incoming_SOURCES = src/net/test/test_incoming.c \
    $(CHAIN_WORLD)
src_net_test_test_incoming_LDADD = $(TEST_SUPPORT) $(FLOOR_net)

check_PROGRAMS += src/net/test/test_sam
src_net_test_test_sam_SOURCES = src/net/test/test_sam.c
src_net_test_test_sam_LDADD = $(TEST_SUPPORT) $(FLOOR_net)

check_PROGRAMS += src/net/test/test_torctl
src_net_test_test_torctl_SOURCES = src/net/test/test_torctl.c
src_net_test_test_torctl_LDADD = $(TEST_SUPPORT) $(FLOOR_net)
