#!/bin/bash
# demo.sh check-port PORT: says whether it is free for the demo.
# demo.sh start [PORT]: an example as a live API on 127.0.0.1:PORT, in the
#     background. Again: the same with the same data.
# demo.sh stop: ends it. demo.sh remove: ends it and deletes its data.
# demo.sh dir: says where its data is.
# demo.sh token SUB [ROLE...] [scope=SCOPE]: a token for the example's API.
#
# APP names the example: catalogue (the default) or another folder of examples.
#
# Data, logs and the filled-in nginx.conf are in var/APP of this clone
# (`make clean` leaves them), or, when root runs this in a place that nginx's
# workers may not enter, in /var/lib/kappa-demo, or in KAPPA_DEMO_DIR. Only the
# nginx that this script started is ever stopped.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
worker=www-data
app=${APP:-catalogue}

die() { echo "kappa: $*" >&2; exit 1; }

reachable() {
    [ "$(id -u)" != 0 ] && return
    perl -e '
        my ($uid, $gid) = (getpwnam shift)[2, 3];
        ($(, $)) = ($gid, "$gid $gid");
        ($<, $>) = ($uid, $uid);
        exit !-x shift' "$worker" "$1"
}

[[ $app =~ ^[a-z]+$ ]] && [ -f "examples/$app/schema.graphql" ] \
    || die "there is no example \"$app\"; there are:" \
        $(cd examples && echo */schema.graphql | sed 's|/schema.graphql||g')
dir=${KAPPA_DEMO_DIR:-$root/var/$app}
mkdir -p "$dir"
if [ -z "${KAPPA_DEMO_DIR:-}" ] && ! reachable "$dir"; then
    dir=/var/lib/kappa-demo/$(echo "$root" | cksum | cut -d ' ' -f 1)
    [ "$app" = catalogue ] || dir=$dir-$app
    mkdir -p "$dir"
fi
store=$dir/store/$app
with=
[ "$app" = catalogue ] || with=" APP=$app"

# The pid of our nginx, if it runs. A pid file alone proves nothing.
running() {
    local pid
    pid=$(cat "$dir/nginx.pid" 2> /dev/null) || return 1
    [ -n "$pid" ] && [ -r "/proc/$pid/cmdline" ] || return 1
    tr '\0' ' ' < "/proc/$pid/cmdline" | grep -qF "$dir/nginx.conf" || return 1
    echo "$pid"
}

stop() {
    local pid i
    pid=$(running) || return 0
    kill -QUIT "$pid"
    for i in $(seq 100); do
        running > /dev/null || return 0
        [ "$i" != 40 ] || kill -TERM "$pid"
        sleep 0.1
    done
    die "nginx (pid $pid) does not end"
}

port_taken() {
    (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null
}

# The package index as events, in $dir/events.ndjson.
make_events() {
    local events=$dir/events.ndjson
    apt-cache dumpavail 2> /dev/null \
        | perl examples/catalogue/packages.pl > "$events.tmp"
    if [ "$(wc -l < "$events.tmp")" -lt 5000 ]; then
        echo "kappa: fetching Debian's package index"
        local sudo=
        [ "$(id -u)" = 0 ] || sudo=sudo
        $sudo apt-get update -qq -o APT::Update::Error-Mode=any \
            > "$dir/logs/apt.log" 2>&1 || {
            tail -n 3 "$dir/logs/apt.log" >&2
            die "can't fetch Debian's package index (no network?)"
        }
        apt-cache dumpavail \
            | perl examples/catalogue/packages.pl > "$events.tmp"
    fi
    [ -s "$events.tmp" ] || die "apt's package index is empty"
    mv "$events.tmp" "$events"
}

# What the index files are: another import is needed when they change.
index_state() {
    (ls -lL --time-style=full-iso /var/lib/apt/lists/*Packages* 2> /dev/null \
        || true; cksum examples/catalogue/packages.pl) | cksum
}

import_catalogue() {
    local state
    state=$(index_state)
    if [ -d "$store" ] && [ "$(cat "$dir/imported" 2> /dev/null)" = "$state" ]
    then
        echo "kappa: the package index is the one that was imported before"
        return
    fi
    echo "kappa: reading the package index"
    make_events
    state=$(index_state)
    echo "kappa: importing $(wc -l < "$dir/events.ndjson") packages"
    build/kappa import "$dir/events.ndjson" --store "$store" \
        --schema examples/catalogue/schema.graphql \
        || die "the import failed"
    echo "$state" > "$dir/imported"
    rm -f "$dir/events.ndjson"
}

# GraphiQL is an extra: without npm, or without a network, the demo goes on.
# "on" or "off".
graphiql() {
    if ! command -v node > /dev/null || ! command -v npm > /dev/null; then
        echo "kappa: without GraphiQL in the browser: it is built with" \
            "node and npm (apt-get install nodejs npm)" >&2
    elif ! npm_config_fetch_retries=0 timeout 180 \
        make -s --no-print-directory graphiql > "$dir/logs/graphiql.log" 2>&1
    then
        echo "kappa: without GraphiQL in the browser: npm can't fetch it" \
            "(log: $dir/logs/graphiql.log)" >&2
    else
        rm -rf "$dir/graphiql"
        cp -r build/graphiql "$dir/graphiql"
        echo on
        return
    fi
    echo off
}

# An example's own data: what its data.pl prints, or its data.ndjson. Events
# have ids, so what is there already is not appended again.
import_data() {
    local from=examples/$app state
    state=$(cksum "$from"/data.*)
    if [ -d "$store" ] && [ "$(cat "$dir/imported" 2> /dev/null)" = "$state" ]
    then return; fi
    echo "kappa: importing the example's data"
    if [ -f "$from/data.pl" ]; then perl "$from/data.pl"
    else cat "$from/data.ndjson"; fi \
        | build/kappa import - --store "$store" \
            --schema "$from/schema.graphql" || die "the import failed"
    echo "$state" > "$dir/imported"
}

import() {
    if [ "$app" = catalogue ]; then import_catalogue; else import_data; fi
}

# The secret that the example's tokens are signed with: made once, at random.
make_key() {
    [ ! -s "$dir/key" ] || return 0
    (umask 077 && head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' \
        > "$dir/key")
}

config() {
    local user= template=examples/$app/nginx.conf
    [ -f "$template" ] || template=examples/nginx.conf
    make_key
    [ "$(id -u)" != 0 ] || user="user $worker;"
    cp "examples/$app/schema.graphql" "$dir/schema.graphql"
    cp build/ngx_http_kappa_module.so "$dir/module.so.new"
    mv "$dir/module.so.new" "$dir/ngx_http_kappa_module.so"
    sed -e "s|@USER@|$user|; s|@DIR@|$dir|; s|@PORT@|$1|" \
        -e "s|@MODULE@|$dir/ngx_http_kappa_module.so|" \
        -e "s|@GRAPHIQL@|$(graphiql)|" \
        -e "s|@SCHEMA@|$dir/schema.graphql|; s|@STORE@|$store|" \
        -e "s|@APP@|$app|; s|@KEY@|$dir/key|" \
        "$template" > "$dir/nginx.conf"
}

serve() {
    local i
    if ! "$NGINX" -p "$dir" -e "$dir/logs/error.log" -c "$dir/nginx.conf" \
        2> "$dir/logs/start.log"
    then
        cat "$dir/logs/start.log" >&2
        die "nginx did not start (see also $dir/logs/error.log)"
    fi
    for i in $(seq 100); do
        if curl -sf -o /dev/null "http://127.0.0.1:$1/health"; then return; fi
        sleep 0.1
    done
    tail -n 5 "$dir/logs/error.log" >&2
    die "nginx runs but does not answer (log: $dir/logs/error.log)"
}

tell() {
    if [ "$app" != catalogue ]; then tell_example "$1"; return; fi
    cat << END

The Debian archive is served at http://127.0.0.1:$1/graphql.
$(grep -q 'kappa_graphiql on' "$dir/nginx.conf" \
    && echo "GraphiQL is at the same address: open it in a browser. ")Try:

# a package, its section and what is reported about it
curl -s 127.0.0.1:$1/graphql -H 'Content-Type: application/json' -d '{"query":
  "{ package(name: \\"nginx\\") { version size installs sectionInfo { packages bytes } } }"}'

# the ten largest games
curl -s 127.0.0.1:$1/graphql -H 'Content-Type: application/json' -d '{"query":
  "{ packages(section: \\"games\\", orderBy: SIZE_DESC, first: 10) { nodes { name size } totalCount } }"}'

# watch a package: leave this running in a second terminal
curl -sN 127.0.0.1:$1/graphql -H 'Content-Type: application/json' -H 'Accept: text/event-stream' -d '{"query":
  "subscription { package(name: \\"nginx\\") { installs reports { kind at } } }"}'

# report that you installed it: the subscription tells at once
curl -s 127.0.0.1:$1/graphql -H 'Content-Type: application/json' -d '{"query":
  "mutation { report(package: \\"nginx\\", kind: INSTALLED) { id at } }"}'

# the log behind it all
build/kappa log --store $store --thing Report

make demo-stop ends it; the data stays in $dir.
END
}

tell_example() {
    cat << END

The $app example is served at http://127.0.0.1:$1/graphql, its log at /events.
$(grep -q 'kappa_graphiql on' "$dir/nginx.conf" \
    && echo "GraphiQL is at the same address: open it in a browser. ")examples/$app/README.md has
commands to try, and says who is who. A token for ann:

APP=$app tools/demo.sh token ann

make demo-stop$with ends it; the data stays in $dir.
END
}

# Whether we may listen there: nobody does, or the demo itself.
check_port() {
    [[ $1 =~ ^[0-9]+$ ]] && [ "$1" -ge 1 ] && [ "$1" -le 65535 ] \
        || die "PORT must be a port number, not '$1'"
    if port_taken "$1" && ! { running > /dev/null \
        && grep -q "listen 127.0.0.1:$1;" "$dir/nginx.conf"; }
    then
        die "port $1 of 127.0.0.1 is taken; choose another:" \
            "make demo$with PORT=8081"
    fi
}

start() {
    local port=${1:-8080}
    check_port "$port"
    . build/nginx.env
    mkdir -p "$dir/logs" "$dir/tmp" "$dir/store"
    if [ "$(id -u)" = 0 ]; then
        chown "$worker:" "$dir/store" "$dir/tmp"
    fi
    import
    stop
    config "$port"
    serve "$port"
    tell "$port"
}

case ${1:-} in
check-port) check_port "${2:-8080}" ;;
start) start "${2:-}" ;;
stop)
    if running > /dev/null; then stop; echo "kappa: the demo has ended"
    else echo "kappa: the demo is not running"; fi ;;
remove) stop; rm -rf "$dir" ;;
dir) echo "$dir" ;;
token) shift; perl tools/token.pl "$dir/key" "$@" ;;
*) die "usage: demo.sh start [PORT] | stop | remove | dir | token SUB [ROLE...]" ;;
esac
