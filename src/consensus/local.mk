noinst_LIBRARIES += libcc_consensus.a
libcc_consensus_a_SOURCES =

# Chains as data, work, the verdict on transactions and blocks.
libcc_consensus_a_SOURCES += \
    src/consensus/check.h \
    src/consensus/params.h \
    src/consensus/pow.h \
    src/consensus/reject.c src/consensus/reject.h
