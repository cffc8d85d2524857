#!/bin/sh
# graphiql.sh: builds the page of `kappa_graphiql` into build/graphiql.
set -eu
cd "$(dirname "$0")/.."
if ! command -v node > /dev/null || ! command -v npm > /dev/null; then
    echo "kappa: GraphiQL is built with node and npm; install them:" \
        "apt-get install nodejs npm" >&2
    exit 1
fi
tools/npm.sh ngx_kappa_module/graphiql
rm -rf build/graphiql.new
node ngx_kappa_module/graphiql/build.mjs "$PWD/build/graphiql.new"
rm -rf build/graphiql
mv build/graphiql.new build/graphiql
