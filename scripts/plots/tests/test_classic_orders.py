"""Tests of scripts/orders: pairs worked by hand, what the table says, and that docs/classics.md has what it prints."""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import classic_orders  # noqa: E402
from results import Results  # noqa: E402

ROOT = HERE.parents[2]
CLASSICS = ROOT / "workloads/classic"
PAGE, KEPT = ROOT / "docs/classics.md", ROOT / "results/classic/results.json.zst"


def timed(figures, failed=0):
    """A results file of larson alone with these medians."""
    statistics = [{"workload": "larson", "variant": "2t", "pass": "speed", "metric": "ns_per_op", "allocator": name,
                   "count": 6, "failed": failed, "median": value} for name, value in figures.items()]
    return {"heapmark_version": "0", "schema": 2, "plan": {}, "context": {}, "allocators": {}, "metrics": {},
            "records": [], "statistics": statistics, "benchmarks": []}


def orders(*arguments):
    return subprocess.run([str(ROOT / "scripts/orders"), *map(str, arguments)], capture_output=True, text=True,
                          check=False, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})


class Orders(unittest.TestCase):
    def test_pairs_are_counted_by_hand(self):
        # Of six pairs a-b is level in the original; here c-d is level, and d before b is reversed.
        original = {"a": 10, "b": 10.2, "c": 20, "d": 30}
        ours = {"a": 1, "b": 4, "c": 3.9, "d": 3.8, "e": 9}
        pairs, same, reversed_pairs, tied = classic_orders.compare(original, ours)
        self.assertEqual((pairs, same, tied), (5, 2, 2))
        self.assertEqual(reversed_pairs, [("d", "b")])

    def test_the_verdict_says_what_is_reversed_and_what_is_level(self):
        words = classic_orders.verdict({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 5, "c": 4})
        self.assertEqual(words, "2 of 3; reversed: c before b")
        self.assertEqual(classic_orders.verdict({"a": 1, "b": 2}, {"a": 1, "b": 1}), "0 of 1; 1 level here")
        self.assertEqual(classic_orders.verdict({"a": 1, "b": 2}, {"z": 1}), "none in common")

    def test_an_allocator_whose_trials_failed_has_no_place(self):
        classic = {"name": "larson", "ours": "2t"}
        self.assertEqual(classic_orders.times_of(Results("x", timed({"glibc": 5})), classic), {"glibc": 5})
        self.assertEqual(classic_orders.times_of(Results("x", timed({"glibc": 5}, failed=1)), classic), {})

    def test_each_original_has_a_variant_that_exists(self):
        host = Path(os.environ.get("HEAPMARK_BUILD_DIR", ROOT / "build/release")) / "heapmark-host"
        if not host.exists():
            self.skipTest("heapmark-host is not built")
        described = json.loads(subprocess.run([str(host), "describe"], capture_output=True, check=True).stdout)
        known = {(w["name"], v["name"]) for w in described["workloads"] for v in w["variants"]}
        lines = classic_orders.tomllib.loads(classic_orders.ORIGINALS.read_text())["classic"]
        for classic in lines:
            self.assertIn((classic["name"], classic["ours"]), known)
        self.assertEqual(len(lines), 8)

    def test_the_page_has_the_table_that_the_command_gives(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "page.md"
            copy.write_text(PAGE.read_text())
            done = orders(*([KEPT] if KEPT.exists() else []), "--write", copy)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(copy.read_text(), PAGE.read_text(), "run the command that docs/classics.md names")

    def test_the_order_in_a_head_is_by_time_and_replaces_the_one_before(self):
        self.assertEqual(classic_orders.order_here({"a": 3, "b": 1, "c": 1.04, "d": 1.2}), "b ~ c, d, a")
        once = classic_orders.with_order("// What.\n#include <a>\n", "2t): a, b.")
        self.assertEqual(once, f"// What.\n{classic_orders.HEAD}2t): a, b.\n#include <a>\n")
        self.assertEqual(classic_orders.with_order(once, "2t): b, a."), once.replace("a, b", "b, a"))

    def test_each_classic_states_the_order_of_the_results_that_are_kept(self):
        with tempfile.TemporaryDirectory() as folder:
            for source in CLASSICS.glob("*.cc"):
                (Path(folder) / source.name).write_text(source.read_text())
            done = orders(KEPT, "--heads", folder)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            for source in CLASSICS.glob("*.cc"):
                self.assertIn(classic_orders.HEAD, source.read_text(), source)
                self.assertEqual((Path(folder) / source.name).read_text(), source.read_text(),
                                 "run the command that results/classic/README.md names")

    def test_a_table_of_results_replaces_what_stood_between_the_marks_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            page, file = Path(folder) / "page.md", Path(folder) / "results.json"
            file.write_text(json.dumps(timed({"glibc": 1234.5, "tcmalloc": 60})))
            page.write_text("before\n<!-- orders: x -->\nold\n<!-- end -->\nafter\n")
            self.assertEqual(orders(file, "--write", page).returncode, 0)
            text = page.read_text()
            self.assertTrue(text.startswith("before\n<!-- orders: x -->\n| classic |") and text.endswith("\nafter\n"))
            self.assertIn("tcmalloc 60, glibc 1,234 | 1 of 1 |", text)
            self.assertNotIn("old", text)
            page.write_text("no marks")
            done = orders(file, "--write", page)
            self.assertEqual((done.returncode, "lacks the marks" in done.stderr), (2, True))
            self.assertEqual(orders("/nonexistent.json").returncode, 2)


if __name__ == "__main__":
    unittest.main()
