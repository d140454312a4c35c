noinst_LIBRARIES += libcc_chain.a
libcc_chain_a_SOURCES = \
    src/chain/accept.c \
    src/chain/ask.c \
    src/chain/assume.c \
    src/chain/blockfile.c src/chain/blockfile.h \
    src/chain/chain.c src/chain/chain.h \
    src/chain/coin.c \
    src/chain/coins.c src/chain/coins.h \
    src/chain/connect.c \
    src/chain/consistent.c \
    src/chain/db.c src/chain/db.h \
    src/chain/filterindex.c src/chain/filterindex.h \
    src/chain/gcs.c src/chain/gcs.h \
    src/chain/import.c \
    src/chain/index.c src/chain/index.h \
    src/chain/internal.h \
    src/chain/load.c \
    src/chain/prune.c \
    src/chain/rebuild.c \
    src/chain/reorg.c \
    src/chain/statsindex.c src/chain/statsindex.h \
    src/chain/follow.c src/chain/follow.h \
    src/chain/txindex.c src/chain/txindex.h \
    src/chain/undo.c src/chain/undo.h \
    src/chain/verify.c \
    src/chain/vote.c src/chain/vote.h

CHAIN_TESTS = src/chain/test/test_db src/chain/test/test_blockfile \
    src/chain/test/test_coins src/chain/test/test_index \
    src/chain/test/test_chain src/chain/test/test_fault \
    src/chain/test/test_storm src/chain/test/test_damage \
    src/chain/test/test_load \
    src/chain/test/test_vote src/chain/test/test_ask src/chain/test/test_assume \
    src/chain/test/test_prune src/chain/test/test_consistent \
    src/chain/test/test_txindex src/chain/test/test_gcs \
    src/chain/test/test_filterindex src/chain/test/test_statsindex \
    test/crash
check_PROGRAMS += $(CHAIN_TESTS)
src_chain_test_test_db_SOURCES = src/chain/test/test_db.c
src_chain_test_test_db_LDADD = $(TEST_SUPPORT) $(FLOOR_chain)
src_chain_test_test_blockfile_SOURCES = src/chain/test/test_blockfile.c
src_chain_test_test_blockfile_LDADD = $(TEST_SUPPORT) $(FLOOR_chain)

CHAIN_WORLD = src/chain/test/world.c \
    src/chain/test/world.h src/chain/test/world_typed.c \
    src/chain/test/world_typed.h src/consensus/test/build.c \
    src/consensus/test/build.h
CHAIN_FOLLOWER = src/chain/test/follower.c src/chain/test/follower.h \
    $(CHAIN_WORLD)
src_chain_test_test_chain_SOURCES = src/chain/test/test_chain.c $(CHAIN_WORLD)
src_chain_test_test_chain_LDADD = $(TEST_SUPPORT) $(FLOOR_chain)
src_chain_test_test_coins_SOURCES = src/chain/test/test_coins.c
src_chain_test_test_coins_LDADD = $(TEST_SUPPORT) $(FLOOR_chain)
src_chain_test_test_index_SOURCES = src/chain/test/test_index.c
src_chain_test_test_index_LDADD = $(TEST_SUPPORT) $(FLOOR_chain)
src_chain_test_test_vote_SOURCES = src/chain/test/test_vote.c
src_chain_test_test_vote_LDADD = $(TEST_SUPPORT) $(FLOOR_chain)
src_chain_test_test_fault_SOURCES = src/chain/test/test_fault.c $(CHAIN_WORLD)
src_chain_test_test_fault_LDADD = $(TEST_SUPPORT) $(FLOOR_chain)
src_chain_test_test_storm_SOURCES = src/chain/test/test_storm.c $(CHAIN_WORLD)
src_chain_test_test_storm_LDADD = $(TEST_SUPPORT) $(FLOOR_chain)
src_chain_test_test_damage_SOURCES = src/chain/test/test_damage.c \
    $(CHAIN_WORLD)
src_chain_test_test_damage_LDADD = $(TEST_SUPPORT) $(FLOOR_chain)
src_chain_test_test_load_SOURCES = src/chain/test/test_load.c $(CHAIN_WORLD)
src_chain_test_test_load_LDADD = $(TEST_SUPPORT) $(FLOOR_chain)
src_chain_test_test_txindex_SOURCES = src/chain/test/test_txindex.c \
    $(CHAIN_FOLLOWER)
src_chain_test_test_txindex_LDADD = $(TEST_SUPPORT) $(FLOOR_chain)
src_chain_test_test_statsindex_SOURCES = src/chain/test/test_statsindex.c \
    $(CHAIN_FOLLOWER)
src_chain_test_test_statsindex_LDADD = $(TEST_SUPPORT) $(FLOOR_chain)
src_chain_test_test_gcs_SOURCES = src/chain/test/test_gcs.c
src_chain_test_test_gcs_LDADD = $(TEST_SUPPORT) $(FLOOR_chain)
src_chain_test_test_filterindex_SOURCES = src/chain/test/test_filterindex.c \
    $(CHAIN_FOLLOWER)
src_chain_test_test_filterindex_LDADD = $(TEST_SUPPORT) $(FLOOR_chain)
src_chain_test_test_assume_SOURCES = src/chain/test/test_assume.c \
    $(CHAIN_WORLD)
src_chain_test_test_assume_LDADD = $(TEST_SUPPORT) $(FLOOR_chain)
src_chain_test_test_prune_SOURCES = src/chain/test/test_prune.c $(CHAIN_WORLD)
src_chain_test_test_prune_LDADD = $(TEST_SUPPORT) $(FLOOR_chain)
src_chain_test_test_consistent_SOURCES = src/chain/test/test_consistent.c \
    $(CHAIN_WORLD)
src_chain_test_test_consistent_LDADD = $(TEST_SUPPORT) $(FLOOR_chain)
src_chain_test_test_ask_SOURCES = src/chain/test/test_ask.c $(CHAIN_WORLD)
src_chain_test_test_ask_LDADD = $(TEST_SUPPORT) $(FLOOR_chain)
test_crash_SOURCES = test/crash.c $(CHAIN_WORLD)
test_crash_LDADD = $(TEST_SUPPORT) $(FLOOR_chain)
