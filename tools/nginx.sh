#!/bin/bash
# nginx.sh prepare: finds Debian's nginx and the sources of its headers, and
#     writes their places to build/nginx.env (NGINX, NGINX_VERSION).
# nginx.sh configure [DIR]: prepares DIR/Makefile for the module; DIR is
#     build/nginx/objs. KAPPA_LIB is the libkappa to link, CFLAGS and LDFLAGS
#     are added to nginx's own.
# nginx.sh unpack PACKAGE DIR: one of Debian's packages, not installed.
#
# An nginx that is installed is used as it is, but never started or stopped.
# Where none is, Debian's package is unpacked under build/nginx, because
# installing it would start a server on port 80.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

die() { echo "kappa: $*" >&2; exit 1; }

version() {
    { dpkg-query -W -f '${db:Status-Status} ${Version}' "$1" 2> /dev/null \
        || true; } | sed -n 's/^installed //p'
}

# unpack NAME[=VERSION] DIR
unpack() {
    local dir=build/nginx/deb
    rm -rf "$dir" && mkdir -p "$dir" "$2"
    if ! (cd "$dir" && apt-get download -qq "$1" > log 2>&1); then
        # No package index yet, or an old one.
        if [ "$(id -u)" = 0 ]; then
            apt-get update -qq > "$dir/log" 2>&1 || true
        elif command -v sudo > /dev/null; then
            sudo apt-get update -qq > "$dir/log" 2>&1 || true
        fi
        (cd "$dir" && apt-get download -qq "$1" > log 2>&1) || {
            tail -n 3 "$dir/log" >&2
            die "can't download Debian's package $1 (no network?)"
        }
    fi
    dpkg-deb -x "$dir"/*.deb "$2"
}

prepare() {
    local nginx= src= have
    rm -rf build/nginx && mkdir -p build/nginx
    have=$(version nginx)
    if [ -n "$have" ] && [ -x /usr/sbin/nginx ]; then
        nginx=/usr/sbin/nginx
        if [ "$(version nginx-dev)" = "$have" ]; then
            src=/usr/share/nginx/src
        else
            unpack "nginx-dev=$have" build/nginx/root
        fi
    else
        unpack nginx build/nginx/root
        unpack nginx-dev build/nginx/root
        nginx=$root/build/nginx/root/usr/sbin/nginx
    fi
    rm -rf build/nginx/deb
    cp -r "${src:-build/nginx/root/usr/share/nginx/src}" build/nginx/src
    "$nginx" -v 2> build/nginx/version || die "can't run $nginx"
    cat > build/nginx.env << END
NGINX=$nginx
NGINX_VERSION=$(sed 's|.*/||; s/ .*//' build/nginx/version)
END
}

configure() {
    local objs=$root/${1:-build/nginx/objs}
    local cc="-O2 -g -fstack-protector-strong -fPIC -Wformat"
    cc="$cc -Werror=format-security -D_FORTIFY_SOURCE=2 ${CFLAGS:-}"
    cd build/nginx/src
    . ./conf_flags
    rm -rf "$objs"
    ./configure "${NGX_CONF_FLAGS[@]}" \
        --with-cc-opt="$cc" \
        --with-ld-opt="-fPIC -Wl,-z,relro -Wl,-z,now ${LDFLAGS:-}" \
        --add-dynamic-module="$root" --builddir="$objs" \
        > ../configure.log 2>&1 || {
        tail -n 5 ../configure.log >&2
        die "nginx's configure failed (build/nginx/configure.log)"
    }
}

case ${1:-} in
prepare) prepare ;;
configure) configure "${2:-}" ;;
unpack) unpack "$2" "$3"; rm -rf build/nginx/deb ;;
*) die "usage: nginx.sh prepare | configure [DIR] | unpack PACKAGE DIR" ;;
esac
