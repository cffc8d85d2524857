#!/bin/sh
# test.sh FILE...: runs C unit tests (programs) and t/*.t (Perl) by prove.
# The last line of the output is `N passed, N failed`.
set -u
cd "$(dirname "$0")/.."
mkdir -p build

export ASAN_OPTIONS="detect_leaks=1:abort_on_error=0:${ASAN_OPTIONS:-}"
export UBSAN_OPTIONS="print_stacktrace=1:${UBSAN_OPTIONS:-}"
export CMOCKA_MESSAGE_OUTPUT=TAP
export KAPPA_TEST_COUNT=$PWD/build/test.count

rm -f "$KAPPA_TEST_COUNT"
export PERL5LIB=$PWD/t/lib${PERL5LIB:+:$PERL5LIB}
# Unit tests beside each other, tests against nginx one after another.
run() {
    prove --harness Kappa::Harness -j "$(nproc)" \
        --rules 'par=build/unit/**' --rules 'seq=t/*.t' "$@"
}
if [ -t 1 ]; then
    run "$@"
    status=$?
else # what failed is told again at the end, where a short log still has it
    { run "$@"; echo $? > build/test.status; } 2>&1 | tee build/test.log
    status=$(cat build/test.status)
    [ "$status" = 0 ] || grep '^#' build/test.log | cut -c1-500 | tail -40
fi
# prove itself may break down: that is a failure, whatever was counted.
count=$(cat "$KAPPA_TEST_COUNT" 2> /dev/null || echo "0 passed, 0 failed")
case $status:$count in
0:*) ;;
*" 0 failed") count="${count% 0 failed} 1 failed" ;;
esac
echo "$count"
exit $status
