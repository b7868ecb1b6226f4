#!/bin/sh
# The README's table is the one that the committed reference results give.   Usage: readme_test.sh HEAPMARK
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
given=$(mktemp) stands=$(mktemp)
trap 'rm -f "$given" "$stands"' EXIT
"$1" show "$root/results/reference/results.json.zst" --format overview >"$given"
sed -n '/<!-- overview/,/<!-- end -->/{/<!--/!p}' "$root/README.md" >"$stands"
[ -s "$given" ] || { echo "the reference results give no table"; exit 1; }
diff "$given" "$stands" || { echo "README.md is not up to date: run scripts/reference --table-only"; exit 1; }
