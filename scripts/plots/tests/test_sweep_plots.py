"""Tests of the plots of sweeps and of tuning reports, run as users run them, on invented figures."""
import copy
import itertools
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
import pareto  # noqa: E402
import results as results_file  # noqa: E402
import sweep_curves  # noqa: E402
import sweeps  # noqa: E402

PLOT = HERE.parent.parent / "plot"
MMAP, TRIM = ["32K", "128K", "1M"], ["0", "128K"]


def statistic(label, metric, pass_, value, **more):
    return {
        "workload": "breathe",
        "variant": "wide",
        "pass": pass_,
        "metric": metric,
        "allocator": label,
        "count": 3,
        "failed": 0,
        "median": value,
        "low": value * 0.9,
        "high": value * 1.1,
        "min": value,
        "max": value,
        "method": "student",
        **more,
    }


def sweep():
    allocators = {"glibc": {"name": "glibc", "label": "glibc", "tunables": {}}}
    statistics = [
        statistic("glibc", "ns_per_op", "speed", 1500.0),
        statistic("glibc", "rss_peak_bytes", "memory", 2e8),
        statistic("glibc", "trims", "ledger", 12),
    ]
    for i, (m, t) in enumerate(itertools.product(MMAP, TRIM)):
        label = f"glibc[mmap_threshold={m},trim_threshold={t}]"
        allocators[label] = {
            "name": "glibc",
            "label": label,
            "tunables": {"mmap_threshold": m, "trim_threshold": t},
            "tunable_defaults": {"mmap_threshold": "131072", "trim_threshold": "131072"},
        }
        if i == 1:  # this one crashed
            statistics.append(
                {
                    **statistic(label, "ns_per_op", "speed", 0),
                    "count": 0,
                    "failed": 3,
                    "median": None,
                    "low": None,
                    "high": None,
                }
            )
            continue
        ratio = {
            "ratio": {
                "baseline": "glibc",
                "median": 0.4 * i + 0.3,
                "low": 0.3,
                "high": 2.4,
                "verdict": "better" if i < 2 else "worse",
            }
        }
        statistics += [
            statistic(label, "ns_per_op", "speed", 3000.0 / (i + 1), **ratio),
            statistic(label, "rss_peak_bytes", "memory", 1e8 + 2e7 * i, **ratio),
            statistic(label, "trims", "ledger", 40 - i),
        ]
    return {
        "heapmark_version": "0",
        "schema": 1,
        "context": {"kernel": "6", "num_cpus": 2, "command": "heapmark sweep"},
        "plan": {"baseline": "glibc"},
        "allocators": allocators,
        "metrics": {},
        "records": [],
        "statistics": statistics,
    }


def ratio(median):
    return {"median": median, "low": median * 0.95, "high": median * 1.05}


def report():
    def candidate(number, time, rss, state="measured", on_front=False):
        return {
            "number": number,
            "tunables": {"top_pad": f"{number}M"},
            "state": state,
            "why": "",
            "on_front": on_front,
            "ratios": {} if state == "failed" else {"time": ratio(time), "rss": ratio(rss)},
        }

    lone = candidate(3, 1.9, 1.3, "stopped")
    lone["ratios"] = {"time": {"median": 1.9}, "rss": {"median": 1.3}}  # after one round there is no interval
    return {
        "heapmark_tuning": 1,
        "allocator": "glibc",
        "kernel": "6",
        "command": "heapmark tune",
        "objectives": ["time", "rss"],
        "workloads": ["breathe/wide"],
        "noise": {"time": {"floor": 0.05}, "rss": {"floor": 0.01}},
        "defaults_on_front": True,
        "candidates": [
            candidate(0, 0.6, 1.05, on_front=True),
            candidate(1, 1.4, 0.9, on_front=True),
            candidate(2, 1.2, 1.1),
            lone,
            candidate(4, 0, 0, "failed"),
        ],
        "recommendation": {
            "prefer": "balanced",
            "number": 0,
            "tunables": {"top_pad": "0M"},
            "words": "top_pad 0M: 40 % less time",
            "paste": "X=1",
        },
        "check": {
            "held": True,
            "words": "on 8 held-out workloads: 30 % less time",
            "ratios": {"time": ratio(0.7), "rss": ratio(1.06)},
        },
    }


class SweepPlots(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def plot(self, data, out="plots"):
        path = self.folder / "data.json"
        path.write_text(json.dumps(data))
        return subprocess.run(
            [str(PLOT), str(path), "--out", str(self.folder / out)],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            check=False,
        )

    def files(self, out="plots"):
        return {p.name: p.read_bytes() for p in (self.folder / out).iterdir()}

    def test_a_sweep_gives_curves_and_a_map_and_the_same_bytes_again(self):
        for out in ("one", "two"):
            done = self.plot(sweep(), out)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(
            {Path(n).stem for n in self.files("one")},
            {"sweep_curves-breathe-wide-mmap_threshold", "sweep_map-breathe-wide"},
        )
        self.assertEqual(self.files("one"), self.files("two"))

    def test_a_report_gives_the_front_and_the_same_bytes_again(self):
        for out in ("one", "two"):
            done = self.plot(report(), out)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(set(self.files("one")), {"pareto.png", "pareto.svg"})
        self.assertEqual(self.files("one"), self.files("two"))

    def test_a_report_of_nothing_found_three_objectives_or_no_check_is_drawn(self):
        nothing = report()
        nothing.update(candidates=[], check=None)
        nothing["recommendation"].update(number=None, words="keep them")
        three = report()
        three["objectives"].append("faults")
        for candidate in three["candidates"]:
            if candidate["ratios"]:
                candidate["ratios"]["faults"] = ratio(0.5)
        for data in (nothing, three):
            done = self.plot(data)
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_damaged_report_is_told(self):
        for damage in ({"candidates": 3}, {"candidates": [{"number": 1}]}, {"noise": None}):
            done = self.plot({**report(), **damage})
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("damaged", done.stderr)

    def test_values_are_read_as_users_write_them_and_stand_in_order(self):
        self.assertEqual(
            [sweeps.value_of(v) for v in ("32K", "1M", "0", "-1", "10s", "300ms", "128KiB", "on")],
            [32768, 2**20, 0, -1, 10000, 300, 131072, 1],
        )
        places = sweep_curves.place_of(["-1", "0", "64K", "1M"])
        self.assertTrue(places["-1"] < places["0"] < places["64K"] < places["1M"])

    def test_what_is_no_grid_is_no_sweep(self):
        data = copy.deepcopy(sweep())
        del data["allocators"]["glibc[mmap_threshold=1M,trim_threshold=0]"]["tunables"]["trim_threshold"]
        with self.assertRaises(results_file.NotApplicable):
            sweeps.Sweep(results_file.Results("x", data))

    def test_a_failed_point_has_no_figure(self):
        self.assertIsNone(sweep_curves.band({"median": None}))
        self.assertEqual(sweep_curves.band({"median": 2.0}), (2.0, 2.0, 2.0))
        self.assertEqual(pareto.bounds({"median": 2.0}), (2.0, 2.0, 2.0))


if __name__ == "__main__":
    unittest.main()
