#!/usr/bin/env bash
# Format and static checks. Needs clang-format, cppcheck and python3.
# Ends with "N passed, N failed", one for each check.
set -uo pipefail
cd "$(dirname "$0")/.."
passed=0 failed=0
check() {
    local name=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        echo "ok   $name"
    else
        failed=$((failed + 1))
        echo "FAIL $name"
    fi
}

format() {
    git ls-files '*.c' '*.h' | xargs clang-format --dry-run --Werror 2>&1 |
        grep -E 'error' | cut -d: -f1 | sort | uniq -c
    [ "${PIPESTATUS[1]}" = 0 ]
}

# The programs' sources; tests are left to the sanitizers.
static() {
    git ls-files 'src/*.c' | grep -v /test/ | xargs cppcheck --quiet --std=c11 \
        --enable=warning,portability -j"$(nproc)" --inline-suppr \
        --error-exitcode=1 --suppressions-list=contrib/cppcheck.txt -I src 2>&1
}

# A floor includes its own headers and those of the floors below it.
floors() {
    local order="util crypto consensus chain mempool net storage wallet rpc"
    local allowed="" bad=0 floor hit
    for floor in $order; do
        allowed="$allowed $floor"
        while IFS= read -r hit; do
            bad=1
            echo "$hit"
        done < <(grep -rnE '^#include "[a-z]+/' "src/$floor" |
            grep -vE "#include \"(${allowed// /|})/" |
            grep -vE '#include "()/' || true)
    done
    [ $bad = 0 ]
}

long_files() {
    ! git ls-files '*.c' '*.h' '*.py' | grep -v test/model/ | xargs wc -l |
        awk '$2 != "total" && $1 > 1000 {print; found = 1} END {exit !found}'
}

check format format
check cppcheck static
check floors floors
check "no file over 1,000 lines" long_files
check "a test for each option, call, message, rejection" contrib/tested.py --check
echo "$passed passed, $failed failed"
[ $failed = 0 ]
