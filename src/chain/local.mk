noinst_LIBRARIES += libcc_chain.a
libcc_chain_a_SOURCES = \
    src/chain/blockfile.h \
    src/chain/chain.h \
    src/chain/coins.h \
    src/chain/db.h
