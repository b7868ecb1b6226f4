#!/bin/sh
# The micro set under one allocator, as a ctest entry: leaves its results file behind and fails where a benchmark is
# missing or ran on another malloc, never for a timing.   Usage: micro_test.sh HEAPMARK MICRO ALLOCATOR FOLDER
# Exits 77 (skipped) where the allocator's library is not installed.
set -eu
heapmark=$1 micro=$2 allocator=$3 folder=$4
here=$(dirname "$0")
mkdir -p "$folder"
file=$folder/micro-$allocator.json
rm -f "$file"
"$heapmark" exec -a "$allocator" -- true || { [ $? -eq 4 ] && exit 77; exit 1; }
"$heapmark" exec -a "$allocator" -- "$micro" --benchmark_min_time=0.01 --benchmark_out="$file" \
  --benchmark_out_format=json
"$micro" --benchmark_list_tests >"$folder/micro-$allocator.list"
library=$("$heapmark" exec -a "$allocator" -- sh -c 'echo "$HEAPMARK_MALLOC_LIBRARY"')
/usr/bin/python3 "$here/check_micro.py" "$folder/micro-$allocator.list" "$file" "$library"
