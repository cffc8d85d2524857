#!/bin/bash
# lint.sh: all checks that need no run. Says what is wrong, one line each.
set -u
cd "$(dirname "$0")/.."
failed=0

# step NAME COMMAND…: runs a check, shows its output only when it fails.
step() {
    local name=$1 said
    shift
    if said=$("$@" 2>&1); then
        echo "lint: $name: ok"
    else
        echo "$said" | head -n 40
        echo "lint: $name: FAILED"
        failed=1
    fi
}

sources() { git ls-files -co --exclude-standard "$@"; }

format() { sources '*.c' '*.h' | xargs clang-format --dry-run -Werror; }

arrows() { perl tools/arrows.pl; }

# gcc's build has warnings as errors; clang's warnings count as well.
clang_warnings() {
    command -v clang > /dev/null || { echo "no clang: run tools/deps.sh lint"; return 1; }
    local bad=0 file
    for file in $(sources '*.c' | grep -v '^ngx_kappa_module/'); do
        clang -fsyntax-only -std=gnu11 -I. -Ibuild/gen -Wall -Wextra -Werror \
            -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
            $(case $file in t/*) echo -Wno-missing-prototypes -Wno-string-concatenation ;; esac) \
            "$file" || bad=1
    done
    return $bad
}

cppcheck_all() {
    sources '*.c' | grep -v '^t/' > build/lint.files
    cppcheck --quiet --std=c11 --enable=warning,portability --inline-suppr \
        --suppress=missingInclude --suppress=unknownMacro \
        --suppress=normalCheckLevelMaxBranches --suppress=nullPointerArithmetic \
        --error-exitcode=1 -I. -Ibuild/gen -j2 \
        --cppcheck-build-dir=build/cppcheck --file-list=build/lint.files
}

# Every extern symbol of libkappa starts with kappa_, of the module with
# kappa_ or ngx_: modules share one name space with nginx and its others.
symbols() {
    local bad
    bad=$(nm -g --defined-only build/libkappa.a | awk 'NF == 3 { print $3 }' \
        | grep -v '^kappa_'; [ ! -f build/ngx_http_kappa_module.so ] \
        || nm -D --defined-only build/ngx_http_kappa_module.so \
        | awk '{ print $3 }' | grep -Ev '^(kappa_|ngx_)')
    [ -z "$bad" ] && return
    echo "extern symbols without prefix: $bad"
    return 1
}

# Every directive stands in the docs.
directives() { perl tools/directives.pl; }

mkdir -p build/cppcheck
step format format
step arrows arrows
step "clang's warnings" clang_warnings
step cppcheck cppcheck_all
step symbols symbols
step directives directives
exit $failed
