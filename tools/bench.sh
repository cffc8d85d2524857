#!/bin/sh
# bench.sh: builds the load generator and runs bench/*.pl.
set -eu
cd "$(dirname "$0")/.."
mkdir -p build/bench
gcc -std=gnu11 -O2 -Wall -Wextra -Werror -o build/bench/load \
    bench/load.c
exec perl bench/query.pl
