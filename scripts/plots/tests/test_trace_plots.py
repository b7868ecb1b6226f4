"""Tests of the plots of a trace, run as users run them, on invented facts of a trace."""
import copy
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
PLOT = HERE.parent.parent / "plot"
NAMES = {"trace_time", "trace_threads", "trace_calls", "trace_sizes", "trace_lifetimes"}


def classes(*rows):
    return [{"from": start, "count": count, "bytes": total} for start, count, total in rows]


def facts():
    """As `heapmark trace --format json` prints them."""
    moments = [{"start_ns": 1000 * i, "events": 10 + i % 3, "requested_bytes": 500, "max_live_bytes": 1000 + 40 * i,
                "end_live_bytes": 900 + 40 * i, "max_live_objects": 10 + i, "end_live_objects": 9 + i,
                "max_threads": 2} for i in range(50)]
    threads = [{"number": i, "start_ns": 1000 * i, "end_ns": 50_000 - 9000 * i, "ended": i > 0, "events": 300 - 90 * i,
                "requests": 100, "requested_bytes": 9000, "given_up": 90, "given_up_of_others": 30 * i} for i in range(3)]
    return {
        "heapmark_trace": 1, "file": "/x/app.hmtrace", "text": {"command": "./app --fast", "machine": "a machine"},
        "has_times": True, "tick_ns": 100, "duration_ns": 50_000, "events": 600, "requests": 300, "requested_bytes": 30_000,
        "calls": {"malloc": 250, "calloc": 0, "aligned": 10, "realloc": 40, "free": 230, "thread start": 2},
        "given_up": 270, "given_up_by_others": 90, "peak_live_bytes": 2960, "peak_ns": 49_000, "least_rss_bytes": 4096,
        "never_freed_bytes": 2860, "never_freed_objects": 30, "refused_requests": 1, "max_threads_at_once": 2,
        "reallocs": {"count": 40, "moved": 12, "grew": 35, "shrank": 4, "copied_bytes": 4000, "growth": 1.5},
        "top_sizes_are_approximate": False, "top_sizes_by_count": [{"size": 24, "count": 99, "bytes": 2376}],
        "top_sizes_by_bytes": [{"size": 1020, "count": 9, "bytes": 9180}],
        "sizes": classes((0, 3, 0), (16, 200, 5000), (512, 97, 25_000)), "sizes_at_peak": classes((16, 20, 500)),
        "sizes_never_freed": [], "lifetimes_ns": classes((0, 100, 999), (256, 170, 20_000)),
        "thread_lifetimes_ns": [], "alignments": [], "moments": moments, "threads": threads}


class TracePlots(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def plot(self, data, out="plots", *more):
        path = self.folder / "trace.json"
        path.write_text(json.dumps(data))
        return subprocess.run([str(PLOT), str(path), "--out", str(self.folder / out), *more], capture_output=True, text=True,
                              check=False, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})

    def files(self, out="plots"):
        return {p.name: p.read_bytes() for p in (self.folder / out).iterdir()}

    def test_every_plot_is_made_and_made_again_to_the_same_bytes(self):
        for out in ("one", "two"):
            done = self.plot(facts(), out)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(set(self.files("one")), {f"{name}.{end}" for name in NAMES for end in ("png", "svg")})
        self.assertEqual(self.files("one"), self.files("two"))

    def test_a_trace_without_times_of_one_thread_has_no_plot_of_threads(self):
        data = copy.deepcopy(facts())
        data["has_times"], data["threads"], data["max_threads_at_once"] = False, data["threads"][:1], 1
        done = self.plot(data)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual({name.split(".")[0] for name in self.files()}, NAMES - {"trace_threads"})

    def test_an_empty_trace_skips_its_plots_with_a_word(self):
        data = {**facts(), "moments": [], "requests": 0, "given_up": 0}
        done = self.plot(data)
        self.assertEqual(done.returncode, 0)
        self.assertIn("trace_time skipped: the trace has no events", done.stderr)
        self.assertIn("trace_blocks skipped: the trace has no requests", done.stderr)

    def test_damaged_facts_are_refused_by_the_name_of_what_is_missing(self):
        data = facts()
        del data["moments"]
        done = self.plot(data)
        self.assertEqual(done.returncode, 2)
        self.assertIn("'moments' is missing or damaged", done.stderr)

    def test_one_plot_can_be_asked_for(self):
        self.assertEqual(self.plot(facts(), "plots", "--only", "trace_blocks").returncode, 0)
        self.assertEqual({name.split(".")[0] for name in self.files()}, {"trace_calls", "trace_sizes", "trace_lifetimes"})


if __name__ == "__main__":
    unittest.main()
