#!/bin/sh
# deps.sh SET...: makes sure that what a step needs from Debian is installed.
# SET is build, test, demo, bench, lint or fuzz. Quick and silent when all is there.
# It never installs nginx and prometheus themselves: tools/nginx.sh and
# tools/promtool.sh unpack what is needed under build/, for Debian's packages
# would start servers.
set -eu
cd "$(dirname "$0")/.."

say() { echo "kappa: $*" >&2; }
die() { say "$@"; exit 1; }

want=
for set in "$@"; do
    case $set in
    build) want="$want gcc libc6-dev make liblmdb-dev libjansson-dev
        libprotobuf-c-dev protobuf-c-compiler libwslay-dev libjwt-dev
        libssl-dev libpcre2-dev
        zlib1g-dev" ;;
    test) want="$want libcmocka-dev perl curl openssl nodejs npm chromium" ;;
    demo) want="$want curl" ;;
    bench) want="$want perl nodejs npm redis-tools" ;;
    lint) want="$want clang clang-format cppcheck binutils perl" ;;
    fuzz) want="$want clang libclang-rt-dev" ;;
    *) die "deps.sh: no such set: $set" ;;
    esac
done

# Whether a package, or the command it is wanted for, is there. Node may come
# from elsewhere, and the compiler's runtime has its version in its name.
there() {
    case $1 in
    nodejs) command -v node > /dev/null && return ;;
    npm | curl | openssl | gcc | make | clang | cppcheck | clang-format | clang-tidy)
        command -v "$1" > /dev/null && return ;;
    libclang-rt-dev)
        ls /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a \
            > /dev/null 2>&1 && return ;;
    esac
    case $installed in *" $1 "*) return 0 ;; esac
    return 1
}

missing() {
    installed=" $(dpkg-query -W -f '${db:Status-Status} ${Package}\n' \
        $want 2> /dev/null | sed -n 's/^installed //p' | tr '\n' ' ')"
    missing=
    for package in $want; do
        there "$package" || missing="$missing $package"
    done
}

if ! command -v dpkg-query > /dev/null || ! command -v apt-get > /dev/null
then
    die "this is not Debian (no apt): install by hand:" $want
fi
missing
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo > /dev/null \
        || die "not root and no sudo; ask an administrator to run:" \
            "apt-get install$missing"
    as_root=sudo
fi

say "installing:$missing"
install() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
        --no-install-recommends $1 < /dev/null > build/deps.log 2>&1
}
mkdir -p build
names=$(echo "$missing" | sed "s/libclang-rt-dev/$(
    apt-cache search --names-only '^libclang-rt-[0-9]+-dev$' \
        | sed -n 's/ .*//; $p')/")
if ! install "$names"; then
    if ! $as_root apt-get update -qq -o APT::Update::Error-Mode=any \
        > build/deps.log 2>&1
    then
        tail -n 5 build/deps.log >&2
        die "can't reach Debian's package mirrors (no network?); missing:" \
            "$missing"
    fi
    if ! install "$names"; then
        tail -n 5 build/deps.log >&2
        die "apt can't install:$missing (all of it: build/deps.log)"
    fi
fi
missing
[ -z "$missing" ] || die "still missing after apt-get install:$missing"
