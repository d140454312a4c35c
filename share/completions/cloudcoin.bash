# Completion for bash: options from the program's own -help, calls from the
# running node's help, so that it knows what they know.

_cloudcoin_options() {
    "$1" -help $([ "${1##*/}" = cloudcoind ] && echo -help-debug) 2>/dev/null |
        sed -n 's/^  \(-[a-z0-9?-]*\)\(=\)\{0,1\}.*/\1\2/p'
}

_cloudcoin_files() {
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen "$1" -- "$2")
}

# The options before the command that choose the node.
_cloudcoin_node() {
    local word

    for word in "$@"; do
        case "$word" in
        -datadir=* | -conf=* | -rpc* | -regtest* | -testnet* | -chain=* | -bitcoin*)
            printf '%s\n' "$word"
            ;;
        esac
    done
}

# Bash breaks words at "=" too; here they are what blanks divide.
_cloudcoin_complete() {
    local line="${COMP_LINE:0:COMP_POINT}" program="${COMP_WORDS[0]}" current offer word
    local -a before node
    local count=0

    current="${line##*[[:space:]]}"
    read -ra before <<<"${line%"$current"}"
    COMPREPLY=()
    case "$current" in
    -*=*)
        case "${current%%=*}" in
        -conf | -pid | -debuglogfile | -settings | -rpccookiefile | -loadblock | -asmap)
            _cloudcoin_files -f "${current#*=}"
            ;;
        -datadir | -blocksdir | -walletdir)
            _cloudcoin_files -d "${current#*=}"
            ;;
        -chain)
            mapfile -t COMPREPLY < <(compgen -W "main test regtest" -- "${current#*=}")
            ;;
        esac
        return
        ;;
    -*)
        mapfile -t COMPREPLY < <(compgen -W "$(_cloudcoin_options "$program")" -- "$current")
        [ ${#COMPREPLY[@]} -eq 1 ] && [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
        return
        ;;
    esac
    for word in "${before[@]:1}"; do
        [[ $word == -* || $word == help ]] || count=$((count + 1))
    done
    case "${program##*/}" in
    cloudcoin-cli)
        [ "$count" -eq 0 ] || return
        mapfile -t node < <(_cloudcoin_node "${before[@]:1}")
        offer="$("$program" "${node[@]}" help 2>/dev/null | sed -n 's/^\([a-z][a-z0-9]*\).*/\1/p')"
        mapfile -t COMPREPLY < <(compgen -W "help $offer" -- "$current")
        ;;
    cloudcoin-gateway)
        if [ "$count" -eq 0 ]; then
            offer="$("$program" -help 2>/dev/null | sed -n '/^Commands/,/^Options/s/^  \([a-z][a-z]*\).*/\1/p')"
            mapfile -t COMPREPLY < <(compgen -W "$offer" -- "$current")
        else
            _cloudcoin_files -f "$current"
        fi
        ;;
    esac
}

complete -F _cloudcoin_complete cloudcoind cloudcoin-cli cloudcoin-gateway
