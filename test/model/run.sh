#!/bin/sh
# The random comparison of the C code with the model, as make check runs it.
# CC_SEED chooses another run, CC_STEPS its length.
cd "${builddir:-.}" || exit 1
seed=${CC_SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
"${PYTHON3:-python3}" "$srcdir/test/model/verify_vectors.py" || exit 1
exec "${PYTHON3:-python3}" "$srcdir/test/model/check_invariants.py" \
    --seed "$seed" --steps "${CC_STEPS:-100000}" \
    --judge ./test/model/storage_judge
