# Programs. What makes a daemon out of the floors stands here, not in rpc.
bin_PROGRAMS += cloudcoind
cloudcoind_SOURCES = src/cloudcoind.c src/node.c src/node.h \
    src/node_options.c src/node_options.h src/options.c src/options.h \
    src/setup.c src/setup.h
cloudcoind_LDADD = $(FLOOR_rpc)
