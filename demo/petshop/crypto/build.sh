#!/bin/sh
# Puts the crypto function's bootstrap where it is zipped from: build/crypto/bootstrap.
#
# The function's code is Plumb's own crate `plumb-lambda`, in the version that the file VERSION names. Whoever builds
# says where its binary is, in PLUMB_CRYPTO_BOOTSTRAP, or has put it there already.
set -eu
if [ -n "${PLUMB_CRYPTO_BOOTSTRAP:-}" ]; then
    mkdir -p build/crypto
    cp "$PLUMB_CRYPTO_BOOTSTRAP" build/crypto/bootstrap
    chmod 755 build/crypto/bootstrap
elif [ ! -f build/crypto/bootstrap ]; then
    echo "set PLUMB_CRYPTO_BOOTSTRAP to the built binary of $(cat crypto/VERSION)" >&2
    exit 1
fi
