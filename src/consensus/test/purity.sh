#!/bin/sh
# Consensus is a pure function: its library may call memory and string
# functions, formatting into a buffer, itself and the floors under it, and
# nothing that reaches a file, a socket, a clock, randomness, a thread or the
# locale. Whatever else `nm -u` shows fails the build's tests.
set -eu
cd "${top_builddir:-.}"
lib=libcc_consensus.a
below="libcc_crypto.a libcc_util.a"
command -v nm >/dev/null || { echo "nm is not there: skipped"; exit 77; }

allowed='^(mem(cpy|move|set|cmp|chr)|str(len|cmp|ncmp|chr|rchr|cat|spn|cspn)|snprintf|vsnprintf|malloc|calloc|realloc|free|qsort|bsearch|abort|__assert_fail|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_)$'
# Checks that compilers put in: fortified forms, sanitizers, fuzzing, profiles.
compiler='^(__(mem(cpy|move|set)|v?snprintf)_chk|__(asan|ubsan|sanitizer|lsan)_.*|__sancov_.*|__gcov_.*|llvm_gcda?_.*|__(u?(div|mod)|mul)[a-z]*[0-9])$'

own=$(nm -g --defined-only $lib $below 2>/dev/null | awk 'NF == 3 {print $3}' |
      sort -u)
used=$(nm -u $lib | awk '$1 == "U" {print $2}' | sort -u)
[ -n "$used" ] || { echo "$lib: no symbols read"; exit 1; }
strange=$(echo "$used" | grep -Ev "$allowed" | grep -Ev "$compiler" |
          grep -Fvx "$own" || true)
if [ -n "$strange" ]; then
    echo "$lib is not pure; it calls:"
    echo "$strange"
    exit 1
fi
# Of the floors under it, nothing that looks at the world.
world=$(echo "$used" | grep -E '^cc_(log|fs|clock|random|args|pool)_' || true)
if [ -n "$world" ]; then
    echo "$lib is not pure; it calls:"
    echo "$world"
    exit 1
fi
# And it keeps no state of its own: tables, but no variables.
data=$(nm -f sysv $lib | awk -F'|' '{gsub(/ /, "", $1); gsub(/ /, "", $7)}
       $7 ~ /^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)(\.[^r].*)?$/ {print $1}' |
       grep -Ev '^(__(asan|ubsan|sancov|gcov|unnamed|odr_asan).*|\.L.*|)$' || true)
if [ -n "$data" ]; then
    echo "$lib has variables:"
    echo "$data"
    exit 1
fi
names=$(nm -g --defined-only $lib | awk 'NF == 3 {print $3}' |
        grep -Ev '^(cc_|__)' || true)
if [ -n "$names" ]; then
    echo "$lib exports names that are not its own (cc_...):"
    echo "$names"
    exit 1
fi
echo "$lib: $(echo "$used" | wc -l) symbols used, all pure"
