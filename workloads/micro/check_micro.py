"""Checks a results file of the micro set: every benchmark measured, none failed, and on the right malloc.

Usage: check_micro.py LIST RESULTS.json LIBRARY     (LIST: what heapmark-micro --benchmark_list_tests prints)
Exits 1 with what is wrong. No timing is judged.
"""
import json
import os
import sys


def problems(names, results, library):
    measured = {}
    for row in results.get("benchmarks", []):
        measured.setdefault(row["name"], []).append(row)
    for name in names:
        for row in measured.get(name, [{}]):
            if row.get("error_occurred"):
                yield f"{name} failed: {row.get('error_message')}"
            elif not row.get("real_time", 0) > 0:
                yield f"{name} has no time"
    found = results.get("context", {}).get("malloc_library", "")
    if not (found and os.path.exists(found) and os.path.samefile(found, library)):
        yield f"malloc is that of '{found}', not of {library}"


def main():
    with open(sys.argv[1], encoding="utf-8") as listing, open(sys.argv[2], encoding="utf-8") as file:
        names = listing.read().split()
        wrong = list(problems(names, json.load(file), sys.argv[3]))
    if not names:
        wrong.append("heapmark-micro lists no benchmark")
    for line in wrong:
        print(line)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
