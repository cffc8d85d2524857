#!/bin/sh
# torture.sh [NAME]: runs at length every test that has a length: those that
# ask kappa_test_rounds (C) or Kappa::Test::rounds (Perl). NAME is one of
# them: `torture` is t/torture.t, `log/embedded_append` a unit test.
# torture.sh list: names them, a line each.
#
# KAPPA_SEED plays one again; without it, one is chosen and printed.
set -eu
cd "$(dirname "$0")/.."

units() {
    grep -rl --include='*_test.c' 'kappa_test_rounds(' t/unit \
        | sed 's|^t/unit/|build/unit/|; s|\.c$||' | sort
}
scripts() { grep -l 'Kappa::Test::rounds(' t/*.t | sort; }

case ${1:-} in
list) units; scripts; exit ;;
'') tests="$(units) $(scripts)" ;;
*) if [ -f "t/$1.t" ]; then tests=t/$1.t; else tests=build/unit/${1}_test; fi ;;
esac

KAPPA_SEED=${KAPPA_SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
export KAPPA_SEED KAPPA_TORTURE=1
echo "torture: KAPPA_SEED=$KAPPA_SEED"
exec tools/test.sh $tests
