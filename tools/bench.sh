#!/bin/sh
# bench.sh: builds the clients and runs bench/*.pl.
set -eu
cd "$(dirname "$0")/.."
mkdir -p build/bench
for client in load subscribers; do
    gcc -std=gnu11 -O2 -Wall -Wextra -Werror -o build/bench/$client \
        bench/$client.c
done
nchan=build/nginx/nchan/usr/lib/nginx/modules/ngx_nchan_module.so
[ -f $nchan ] || tools/nginx.sh unpack libnginx-mod-nchan build/nginx/nchan
perl bench/query.pl
echo
exec perl bench/live.pl
