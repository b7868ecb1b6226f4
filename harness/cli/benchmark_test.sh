#!/bin/sh
# One allocator on all standard workloads, as a ctest entry: leaves its results file behind and fails where a trial
# fails or a result lacks a metric, never for a timing.   Usage: benchmark_test.sh HEAPMARK ALLOCATOR FOLDER
# Exits 77 (skipped) where the allocator's library is not installed.
set -eu
program=$1 allocator=$2 folder=$3
mkdir -p "$folder"
file=$folder/$allocator.json
rm -f "$file"
"$program" exec -a "$allocator" -- true || { [ $? -eq 4 ] && exit 77; exit 1; }
"$program" run -a "$allocator" --quick -r 1 -o "$file"
"$program" show "$file" --format csv >"$folder/$allocator.csv"
