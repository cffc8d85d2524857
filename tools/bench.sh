#!/bin/sh
# bench.sh [NAME]: runs bench/*.pl, or one of them. Stops at none that fails.
set -u
cd "$(dirname "$0")/.."
nchan=build/nginx/nchan/usr/lib/nginx/modules/ngx_nchan_module.so
failed=
for bench in bench/${1:-*}.pl; do
    name=$(basename "$bench" .pl)
    [ -f "$bench" ] || { echo "bench.sh: no such bench: $name" >&2; exit 2; }
    [ "$name" != live ] || [ -f $nchan ] \
        || tools/nginx.sh unpack libnginx-mod-nchan build/nginx/nchan \
        || { failed="$failed $name"; continue; }
    echo "== $name"
    begun=$(date +%s)
    perl "$bench" || failed="$failed $name"
    echo "($(($(date +%s) - begun)) s)"
    echo
done
[ -z "$failed" ] || { echo "bench.sh: failed:$failed" >&2; exit 1; }
