noinst_LIBRARIES += libcc_rpc.a
libcc_rpc_a_SOURCES = \
    src/rpc/addresses.c \
    src/rpc/args.c \
    src/rpc/auth.c src/rpc/auth.h \
    src/rpc/blockchain.c src/rpc/blockchain.h \
    src/rpc/blockfilter.c \
    src/rpc/blockstats.c \
    src/rpc/chain_control.c \
    src/rpc/coins.c \
    src/rpc/control.c \
    src/rpc/descriptor.c src/rpc/descriptor.h \
    src/rpc/dumpcoins.c \
    src/rpc/extension.c src/rpc/extension.h \
    src/rpc/families.h \
    src/rpc/generate.c \
    src/rpc/help.c \
    src/rpc/http.c src/rpc/http.h \
    src/rpc/internal.h \
    src/rpc/json.c src/rpc/json.h \
    src/rpc/mining.c \
    src/rpc/network.c \
    src/rpc/pool.c src/rpc/pool.h \
    src/rpc/process.c src/rpc/process.h \
    src/rpc/rawcreate.c \
    src/rpc/rawpackage.c \
    src/rpc/rawsign.c \
    src/rpc/rawtransaction.c src/rpc/rawtransaction.h \
    src/rpc/register.c \
    src/rpc/rest.c src/rpc/rest.h \
    src/rpc/rest_coins.c src/rpc/rest_i.h \
    src/rpc/rest_filters.c \
    src/rpc/rpc.c src/rpc/rpc.h \
    src/rpc/scan.c \
    src/rpc/server.c src/rpc/server.h \
    src/rpc/settings.c src/rpc/settings.h \
    src/rpc/signer.c src/rpc/signer.h \
    src/rpc/storage.c \
    src/rpc/txjson.c src/rpc/txjson.h \
    src/rpc/txproof.c \
    src/rpc/util.c \
    src/rpc/template.c src/rpc/template.h \
    src/rpc/waiter.c src/rpc/waiter.h \
    src/rpc/warnings.c src/rpc/warnings.h \
    src/rpc/whitelist.c src/rpc/whitelist.h \
    src/rpc/wallet_address.c \
    src/rpc/wallet_admin.c \
    src/rpc/wallet_coins.c \
    src/rpc/wallet_history.c \
    src/rpc/wallet_identity.c \
    src/rpc/wallet_raw.c \
    src/rpc/wallet_send.c \
    src/rpc/walletcall.c src/rpc/walletcall.h

check_PROGRAMS += src/rpc/test/test_auth src/rpc/test/test_json \
    src/rpc/test/test_rpc src/rpc/test/test_template
src_rpc_test_test_template_SOURCES = src/rpc/test/test_template.c \
    $(POOL_FIXTURE)
src_rpc_test_test_template_LDADD = $(TEST_SUPPORT) $(FLOOR_rpc)
src_rpc_test_test_auth_SOURCES = src/rpc/test/test_auth.c
src_rpc_test_test_auth_LDADD = $(TEST_SUPPORT) $(FLOOR_rpc)
src_rpc_test_test_json_SOURCES = src/rpc/test/test_json.c
src_rpc_test_test_json_LDADD = $(TEST_SUPPORT) $(FLOOR_rpc)
src_rpc_test_test_rpc_SOURCES = src/rpc/test/test_rpc.c
src_rpc_test_test_rpc_LDADD = $(TEST_SUPPORT) $(FLOOR_rpc)
