"""Tests of the plot of memory over time, and of which plots a command's results get, on invented records."""
import json
import subprocess
import tempfile
import unittest
from pathlib import Path

PLOT = Path(__file__).resolve().parent.parent.parent / "plot"


def record(label, outcome="ok", rows=40):
    samples = [[at * 10**7, (at % 7 + 1) * 2**20, 1 + at % 2, at // 10] for at in range(rows)]
    return {"allocator": label, "workload": "app", "variant": "command", "pass": "memory", "round": 0, "seed": 1,
            "outcome": outcome, "message": "", "metrics": {}, "phases": ["starting", "ready", "load", "settle"],
            "tables": {"tree_samples": {"columns": ["time_ns", "rss_bytes", "processes", "phase"], "rows": samples},
                       "tree_marks": {"columns": ["time_ns", "kind", "process"], "rows": [[0, 0, 7], [10**8, 1, 7]],
                                      "texts": ["app", "app"]}}}


def results(records):
    return {"heapmark_version": "0.1", "schema": 2, "context": {}, "plan": {"command": {"words": ["app"]}},
            "allocators": {r["allocator"]: {"name": r["allocator"]} for r in records}, "metrics": {},
            "records": records, "statistics": []}


class RssTime(unittest.TestCase):
    def plot(self, records):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name) / "results.json"
        path.write_text(json.dumps(results(records)))
        done = subprocess.run([str(PLOT), str(path), "--out", str(Path(folder.name) / "plots")], capture_output=True,
                              text=True, check=False)
        return done, {p.name for p in (Path(folder.name) / "plots").glob("*.png")}

    def test_one_figure_a_program_with_all_allocators_also_failed_ones(self):
        done, files = self.plot([record("glibc"), record("jemalloc", "crashed"), record("mine", rows=1)])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(files, {"rss_time-app-command.png"})

    def test_without_samples_it_says_what_is_missing(self):
        bare = record("glibc")
        bare["tables"] = {}
        done, files = self.plot([bare])
        self.assertEqual(done.returncode, 0)
        self.assertIn("rss_time skipped: no memory trial has a table 'tree_samples'", done.stderr)
        self.assertEqual(files, set())


if __name__ == "__main__":
    unittest.main()
