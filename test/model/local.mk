# The model of the storage rules, and its random comparison with the C code.
noinst_PROGRAMS += test/model/storage_judge
test_model_storage_judge_SOURCES = test/model/storage_judge.c
test_model_storage_judge_LDADD = $(FLOOR_consensus)

TESTS += test/model/run.sh
EXTRA_DIST += \
    test/model/check_invariants.py \
    test/model/judge.py \
    test/model/make_vectors.py \
    test/model/primitives.py \
    test/model/run.sh \
    test/model/storage_model.py \
    test/model/verify_vectors.py
