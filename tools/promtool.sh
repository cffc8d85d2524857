#!/bin/sh
# promtool.sh FILE: puts Debian's promtool, or a link to the one that is
# installed, at FILE. It comes out of its package, or (Debian 12) prometheus',
# which is unpacked and not installed: that would start a server.
set -eu
cd "$(dirname "$0")/.."

die() { echo "kappa: $*" >&2; exit 1; }

to=$1
mkdir -p "$(dirname "$to")"
if command -v promtool > /dev/null; then
    ln -sf "$(command -v promtool)" "$to"
    exit 0
fi

dir=build/promtool.deb
rm -rf "$dir" && mkdir -p "$dir"
trap 'rm -rf "$dir"' EXIT
download() {
    (cd "$dir" && { apt-get download -qq promtool \
        || apt-get download -qq prometheus; } > log 2>&1)
}

if ! download; then
    # No package index yet, or an old one.
    if [ "$(id -u)" = 0 ]; then
        apt-get update -qq > "$dir/log" 2>&1 || true
    elif command -v sudo > /dev/null; then
        sudo apt-get update -qq > "$dir/log" 2>&1 || true
    fi
    download || {
        tail -n 3 "$dir/log" >&2
        die "can't download Debian's package prometheus (no network?)"
    }
fi
dpkg-deb --fsys-tarfile "$dir"/*.deb \
    | tar -xO ./usr/bin/promtool > "$dir/promtool"
chmod 755 "$dir/promtool"
mv "$dir/promtool" "$to"
