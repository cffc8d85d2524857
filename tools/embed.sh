#!/bin/sh
# embed.sh SYMBOL HEADER FILE: prints C that defines `kappa_str_t SYMBOL`
# (declared in HEADER) as the bytes of FILE.
set -eu
cat <<END
#include "$2"

static const unsigned char bytes[] = {
$(od -An -v -tu1 "$3" | sed 's/  *\([0-9]\)/\1/; s/  */, /g; s/$/,/')
};

const kappa_str_t $1 = { (const char *)bytes, sizeof(bytes) };
END
