#!/bin/sh
# Installs what building and testing CloudCoin needs, on Debian 12 and later.
# Does nothing, and needs no network, when all of it is there already.
set -e
packages="gcc libc6-dev make autoconf automake pkg-config python3 libssl-dev
libsecp256k1-dev libevent-dev librocksdb-dev libisal-dev libgmp-dev
libjansson-dev libcmocka-dev"
missing=""
if ! command -v dpkg-query >/dev/null; then
    echo "install-deps: this is not Debian or a relative of it." >&2
    echo "Install what these Debian packages hold, then build by hand:" >&2
    echo $packages >&2
    exit 1
fi
for p in $packages; do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null |
        grep -q 'install ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0
echo "install-deps: installing$missing"
run=""
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "install-deps: not root and no sudo; as root, run:" >&2
        echo "    apt-get install -y$missing" >&2
        exit 1
    fi
    run=sudo
fi
# A question nobody sees would wait for ever; sudo drops the environment, env
# does not. Lists that could not be brought up to date may still do.
apt="$run env DEBIAN_FRONTEND=noninteractive apt-get"
if ! out=$({ $apt update -q || true; $apt install -y -q \
    --no-install-recommends $missing </dev/null; } 2>&1); then
    echo "$out" | tail -n 5 >&2
    echo "install-deps: apt-get could not install:$missing" >&2
    echo "Check the network and the package sources, then try again." >&2
    exit 1
fi
