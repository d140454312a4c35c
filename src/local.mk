# Programs. What makes a daemon out of the floors stands here, not in rpc.
bin_PROGRAMS += cloudcoind
cloudcoind_SOURCES = src/chain_options.c src/chain_options.h \
    src/cloudcoind.c src/crash.c src/crash.h src/net_options.c \
    src/node.c src/node.h src/node_i.h src/node_events.c src/node_floors.c \
    src/notify.c src/notify.h \
    src/node_options.c src/node_options.h src/options.c src/options.h \
    src/log_options.c src/pool_options.c \
    src/setup.c src/setup.h
cloudcoind_LDADD = $(FLOOR_rpc)

bin_PROGRAMS += cloudcoin-cli
cloudcoin_cli_SOURCES = src/cloudcoin-cli.c src/cli.h \
    src/cli_call.c src/cli_call.h src/cli_getinfo.c src/cli_netinfo.c \
    src/cli_params.c src/cli_params.h src/setup.c src/setup.h
cloudcoin_cli_LDADD = $(FLOOR_rpc)

# Which words of a command line are JSON: from the tables of methods.
noinst_PROGRAMS += src/rpc/convert_list
src_rpc_convert_list_SOURCES = src/rpc/convert_list.c
src_rpc_convert_list_LDADD = $(FLOOR_rpc)
src/rpc/convert_table.inc: src/rpc/convert_list$(EXEEXT)
	$(AM_V_GEN)./src/rpc/convert_list$(EXEEXT) >$@.new && mv $@.new $@
src/cli_params.$(OBJEXT): src/rpc/convert_table.inc
CLEANFILES += src/rpc/convert_table.inc

bin_PROGRAMS += cloudcoin-host
cloudcoin_host_SOURCES = src/cloudcoin-host.c
cloudcoin_host_LDADD = $(FLOOR_storage)

bin_PROGRAMS += cloudcoin-gateway
cloudcoin_gateway_SOURCES = src/cloudcoin-gateway.c src/setup.c src/setup.h
cloudcoin_gateway_LDADD = $(FLOOR_storage)
