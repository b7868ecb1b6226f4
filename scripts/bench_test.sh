#!/usr/bin/env bash
# Wrong usage of scripts/bench exits 2 with a message and leaves nothing behind.   Usage: bench_test.sh
set -uo pipefail
bench=$(cd "$(dirname "$0")" && pwd)/bench
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failed=0
refuse() {  # EXPECTED WORDS, ARGUMENT...
  local expected=$1 said status=0
  shift
  said=$("$bench" --no-install "$@" 2>&1) || status=$?
  if [ "$status" -ne 2 ] || [[ "$said" != *"$expected"* ]]; then
    echo "bench $*: exit code $status instead of 2, or not '$expected': $said" >&2
    failed=1
  fi
}
refuse "--out needs a folder" --out
refuse "--out needs a folder" --out ""
refuse "--out needs a folder" --out=
refuse "--out takes a folder, not '-'" --out -
refuse "--out takes a folder, not '--quick'" --out --quick
refuse "unknown option '--quik'" --quik
[ -z "$(ls -A)" ] || { echo "bench left files behind: $(ls -A)" >&2; failed=1; }
exit "$failed"
