noinst_LIBRARIES += libcc_consensus.a
libcc_consensus_a_SOURCES =
