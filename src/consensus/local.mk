noinst_LIBRARIES += libcc_consensus.a
libcc_consensus_a_SOURCES =

# Transactions and blocks.
libcc_consensus_a_SOURCES += \
    src/consensus/block.c src/consensus/block.h \
    src/consensus/merkle.c \
    src/consensus/merkleblock.c src/consensus/merkleblock.h \
    src/consensus/tx.c src/consensus/tx.h

check_PROGRAMS += src/consensus/test/test_tx
src_consensus_test_test_tx_SOURCES = src/consensus/test/test_tx.c
src_consensus_test_test_tx_LDADD = $(TEST_SUPPORT) $(FLOOR_consensus)

check_PROGRAMS += src/consensus/test/test_merkleblock
src_consensus_test_test_merkleblock_SOURCES = src/consensus/test/test_merkleblock.c
src_consensus_test_test_merkleblock_LDADD = $(TEST_SUPPORT) $(FLOOR_consensus)

check_PROGRAMS += src/consensus/test/test_block
src_consensus_test_test_block_SOURCES = src/consensus/test/test_block.c
src_consensus_test_test_block_LDADD = $(TEST_SUPPORT) $(FLOOR_consensus)

# Script.
libcc_consensus_a_SOURCES += \
    src/consensus/interpreter.c src/consensus/interpreter.h \
    src/consensus/machine.h \
    src/consensus/ops_number.c \
    src/consensus/ops_sig.c \
    src/consensus/ops_stack.c \
    src/consensus/script.c src/consensus/script.h \
    src/consensus/script_asm.c \
    src/consensus/script_error.c src/consensus/script_error.h \
    src/consensus/sighash.c \
    src/consensus/sigops.c \
    src/consensus/stack.c \
    src/consensus/tap_midstate.h \
    src/consensus/witness.c

check_PROGRAMS += src/consensus/test/test_interpreter
src_consensus_test_test_interpreter_SOURCES = \
    src/consensus/test/test_interpreter.c \
    src/consensus/test/script_text.c src/consensus/test/script_text.h
src_consensus_test_test_interpreter_LDADD = $(TEST_SUPPORT) \
    $(FLOOR_consensus)

check_PROGRAMS += src/consensus/test/test_witness
src_consensus_test_test_witness_SOURCES = \
    src/consensus/test/test_witness.c \
    src/consensus/test/script_text.c src/consensus/test/script_text.h
src_consensus_test_test_witness_LDADD = $(TEST_SUPPORT) \
    $(FLOOR_consensus)

check_PROGRAMS += src/consensus/test/test_tapscript
src_consensus_test_test_tapscript_SOURCES = \
    src/consensus/test/test_tapscript.c \
    src/consensus/test/script_text.c src/consensus/test/script_text.h
src_consensus_test_test_tapscript_LDADD = $(TEST_SUPPORT) \
    $(FLOOR_consensus)

check_PROGRAMS += src/consensus/test/test_script
src_consensus_test_test_script_SOURCES = src/consensus/test/test_script.c \
    src/consensus/test/script_text.c src/consensus/test/script_text.h
src_consensus_test_test_script_LDADD = $(TEST_SUPPORT) $(FLOOR_consensus)

check_PROGRAMS += src/consensus/test/test_script_vectors
src_consensus_test_test_script_vectors_SOURCES = \
    src/consensus/test/test_script_vectors.c \
    src/consensus/test/script_text.c src/consensus/test/script_text.h
src_consensus_test_test_script_vectors_LDADD = $(TEST_SUPPORT) \
    $(FLOOR_consensus) -lm

check_PROGRAMS += src/consensus/test/test_sighash
src_consensus_test_test_sighash_SOURCES = src/consensus/test/test_sighash.c \
    src/consensus/test/script_text.c src/consensus/test/script_text.h
src_consensus_test_test_sighash_LDADD = $(TEST_SUPPORT) $(FLOOR_consensus)

check_PROGRAMS += src/consensus/test/test_taproot
src_consensus_test_test_taproot_SOURCES = src/consensus/test/test_taproot.c \
    src/consensus/test/script_text.c src/consensus/test/script_text.h
src_consensus_test_test_taproot_LDADD = $(TEST_SUPPORT) $(FLOOR_consensus)

# Chains as data, work, the verdict on transactions and blocks.
libcc_consensus_a_SOURCES += \
    src/consensus/check.c src/consensus/check.h \
    src/consensus/check_input.c \
    src/consensus/check_place.c \
    src/consensus/connect.c \
    src/consensus/params.c src/consensus/params.h \
    src/consensus/pow.c src/consensus/pow.h \
    src/consensus/reject.c src/consensus/reject.h

check_PROGRAMS += src/consensus/test/test_params
src_consensus_test_test_params_SOURCES = src/consensus/test/test_params.c
src_consensus_test_test_params_LDADD = $(TEST_SUPPORT) $(FLOOR_consensus)

check_PROGRAMS += src/consensus/test/test_pow
src_consensus_test_test_pow_SOURCES = src/consensus/test/test_pow.c
src_consensus_test_test_pow_LDADD = $(TEST_SUPPORT) $(FLOOR_consensus)

check_PROGRAMS += src/consensus/test/test_check
src_consensus_test_test_check_SOURCES = src/consensus/test/test_check.c \
    src/consensus/test/build.c src/consensus/test/build.h
src_consensus_test_test_check_LDADD = $(TEST_SUPPORT) $(FLOOR_consensus)

check_PROGRAMS += src/consensus/test/test_place
src_consensus_test_test_place_SOURCES = src/consensus/test/test_place.c \
    src/consensus/test/build.c src/consensus/test/build.h
src_consensus_test_test_place_LDADD = $(TEST_SUPPORT) $(FLOOR_consensus)

check_PROGRAMS += src/consensus/test/test_connect
src_consensus_test_test_connect_SOURCES = src/consensus/test/test_connect.c \
    src/consensus/test/build.c src/consensus/test/build.h
src_consensus_test_test_connect_LDADD = $(TEST_SUPPORT) $(FLOOR_consensus)

# Typed coins: bytes, witnesses, transitions, seal and mint.
libcc_consensus_a_SOURCES += \
    src/consensus/action.c src/consensus/action.h \
    src/consensus/mint.c \
    src/consensus/seal.c src/consensus/seal.h \
    src/consensus/storage.c src/consensus/storage.h \
    src/consensus/storage_job.c \
    src/consensus/transition.c src/consensus/transition.h \
    src/consensus/transition_contract.c src/consensus/transition_internal.h \
    src/consensus/transition_seal.c \
    src/consensus/typed.c src/consensus/typed.h src/consensus/wide.h

STORAGE_TEST_SUPPORT = src/consensus/test/storage_support.c \
    src/consensus/test/storage_support.h

check_PROGRAMS += src/consensus/test/test_typed
src_consensus_test_test_typed_SOURCES = src/consensus/test/test_typed.c
src_consensus_test_test_typed_LDADD = $(TEST_SUPPORT) $(FLOOR_consensus)

check_PROGRAMS += src/consensus/test/test_typed_vectors
src_consensus_test_test_typed_vectors_SOURCES = \
    src/consensus/test/test_typed_vectors.c $(STORAGE_TEST_SUPPORT)
src_consensus_test_test_typed_vectors_LDADD = $(TEST_SUPPORT) $(FLOOR_consensus)

check_PROGRAMS += src/consensus/test/test_storage
src_consensus_test_test_storage_SOURCES = src/consensus/test/test_storage.c \
    $(STORAGE_TEST_SUPPORT)
src_consensus_test_test_storage_LDADD = $(TEST_SUPPORT) $(FLOOR_consensus)

check_PROGRAMS += src/consensus/test/test_storage_many
src_consensus_test_test_storage_many_SOURCES = \
    src/consensus/test/test_storage_many.c
src_consensus_test_test_storage_many_LDADD = $(TEST_SUPPORT) \
    $(FLOOR_consensus)

check_PROGRAMS += src/consensus/test/test_seal
src_consensus_test_test_seal_SOURCES = src/consensus/test/test_seal.c \
    $(STORAGE_TEST_SUPPORT)
src_consensus_test_test_seal_LDADD = $(TEST_SUPPORT) $(FLOOR_consensus)

check_PROGRAMS += src/consensus/test/test_seal_primes
src_consensus_test_test_seal_primes_SOURCES = \
    src/consensus/test/test_seal_primes.c
src_consensus_test_test_seal_primes_LDADD = $(TEST_SUPPORT) $(FLOOR_consensus)

# The library's symbols: pure, and named after the floor.
EXTRA_DIST += src/consensus/test/purity.sh
TESTS += src/consensus/test/purity.sh

check_PROGRAMS += src/consensus/test/test_transition
src_consensus_test_test_transition_SOURCES = \
    src/consensus/test/test_transition.c
src_consensus_test_test_transition_LDADD = $(TEST_SUPPORT) $(FLOOR_consensus)
