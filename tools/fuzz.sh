#!/bin/sh
# fuzz.sh NAME SECONDS: runs build/fuzz/NAME_fuzz. Seeds come from
# t/fuzz/corpus/NAME, and from the folders that t/fuzz/NAME.seeds lists, a
# line each; what it finds is kept in build/fuzz/corpus/NAME, inputs
# that break something in build/fuzz/found/NAME.
set -eu
cd "$(dirname "$0")/.."
name=$1
mkdir -p "build/fuzz/corpus/$name" "build/fuzz/found/$name" \
    "t/fuzz/corpus/$name"
seeds=
[ ! -f "t/fuzz/$name.seeds" ] || seeds=$(cat "t/fuzz/$name.seeds")
dict=
[ ! -f "t/fuzz/$name.dict" ] || dict=-dict=t/fuzz/$name.dict
echo "fuzz $name: $2 s"
if "build/fuzz/${name}_fuzz" -max_total_time="$2" -timeout=5 \
    -rss_limit_mb=1024 -print_final_stats=0 -verbosity=0 $dict \
    -artifact_prefix="build/fuzz/found/$name/" \
    "build/fuzz/corpus/$name" "t/fuzz/corpus/$name" $seeds \
    > "build/fuzz/$name.log" 2>&1
then
    echo "fuzz $name: nothing found," \
        "$(find "build/fuzz/corpus/$name" -type f | wc -l) inputs kept"
else
    tail -n 40 "build/fuzz/$name.log" >&2
    echo "fuzz $name: FAILED, the input is in build/fuzz/found/$name" >&2
    exit 1
fi
