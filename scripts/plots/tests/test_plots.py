"""Tests of scripts/plot, run as users run it, on invented results (example_results.py)."""
import copy
import json
import math
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import compressed  # noqa: E402
import example_results  # noqa: E402
import heatmap  # noqa: E402
import style  # noqa: E402
import tutorial_steps  # noqa: E402

PLOT = HERE.parent.parent / "plot"
HEATMAPS = {"heatmap", "heatmap-churn-small-1t", "heatmap-churn-mixed-4t"}
NAMES = HEATMAPS | {"rss_live-churn-small-1t", "rss_live-churn-mixed-4t", "time_memory", "largest_block",
                    "tutorial_steps", "latency-churn-small-1t", "pressure-churn-small-1t"}


def started(path, out, *more):
    return subprocess.Popen([str(PLOT), str(path), "--out", str(out), *more], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})


def ended(child):
    out, err = child.communicate()
    return subprocess.CompletedProcess(child.args, child.returncode, out, err)


class Plots(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.example = example_results.make()

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def plot(self, results, *more, out="plots"):
        path = self.folder / "results.json"
        path.write_text(results if isinstance(results, str) else json.dumps(results))
        return ended(started(path, self.folder / out, *more))

    def files(self, out="plots"):
        return {p.name: p.read_bytes() for p in (self.folder / out).iterdir()}

    def test_every_plot_is_made_and_made_again_to_the_same_bytes(self):
        plain, packed = self.folder / "results.json", self.folder / "packed" / "results.json"
        plain.write_text(json.dumps(self.example))
        packed.parent.mkdir()
        compressed.write(packed, plain.read_text())  # the name says nothing: the first bytes do
        for child in [started(plain, self.folder / "one"), started(packed, self.folder / "two")]:
            done = ended(child)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        one = self.files("one")
        self.assertEqual(set(one), {f"{n}.{e}" for n in NAMES for e in ("png", "svg")})
        self.assertEqual(one, self.files("two"))
        for name, content in one.items():
            self.assertTrue(content.startswith(b"\x89PNG" if name.endswith("png") else b"<?xml"), name)
            self.assertNotIn(b"<dc:date>", content, name)

    def test_an_overview_has_no_svg_and_no_picture_of_every_metric(self):
        done = self.plot(self.example, "--overview")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(set(self.files()), {f"{name}.png" for name in NAMES - HEATMAPS | {"heatmap"}})
        self.assertEqual({Path(line).name for line in done.stdout.splitlines()}, set(self.files()))

    def test_absent_tables_skip_their_plots_with_a_word(self):
        results = copy.deepcopy(self.example)
        for record in results["records"]:
            record["tables"] = {}
        done = self.plot(results)
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in ("rss_live", "largest_block", "latency", "tutorial_steps"):
            self.assertIn(f"{name} skipped: ", done.stderr)
        self.assertEqual({n.split(".")[0] for n in self.files()}, {"time_memory", "pressure-churn-small-1t"} | HEATMAPS)

    def test_a_file_without_trials_is_no_error(self):
        done = self.plot({**self.example, "records": [], "statistics": []})
        self.assertEqual((done.returncode, done.stderr.count("skipped")), (0, 6))

    def test_a_table_of_nulls_is_drawn(self):
        results = copy.deepcopy(self.example)
        for record in results["records"]:
            for table in record["tables"].values():
                table["rows"] = [row[:2] + [None] * (len(row) - 2) for row in table["rows"]]
        done = self.plot(results, "--only", "rss_live", "--only", "largest_block", "--only", "tutorial_steps")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_missing_column_skips_the_plot_and_names_it(self):
        results = copy.deepcopy(self.example)
        for record in results["records"]:
            if "rounds" in record["tables"]:
                record["tables"]["rounds"]["columns"][3] = "other"
        done = self.plot(results, "--only", "largest_block")
        self.assertIn("largest_block skipped: a table has no column 'largest_bytes'", done.stderr)

    def test_output_that_cannot_be_written_is_a_failure(self):
        path = self.folder / "results.json"
        path.write_text(json.dumps(self.example))
        with open("/dev/full", "w") as full:
            done = subprocess.run([str(PLOT), str(path), "--out", str(self.folder)], stdout=full, text=True,
                                  stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("standard output cannot be written", done.stderr)
        dash = subprocess.run([str(PLOT), str(path), "--out", "-"], capture_output=True, text=True, check=False)
        self.assertEqual(dash.returncode, 2)

    def test_unreadable_and_foreign_files_exit_2_with_a_message(self):
        foreign = (("{", "is not JSON"), ("[]", "not a heapmark results file"),
                   ('{"context": {}, "benchmarks": []}', "not a heapmark results file"),
                   (json.dumps({**self.example, "schema": 99}), "schema 99"),
                   (json.dumps({**self.example, "records": [1]}), "'records' should be an object"))
        for content, message in foreign:
            done = self.plot(content)
            self.assertEqual(done.returncode, 2, content[:40])
            self.assertIn(message, done.stderr)
            self.assertNotIn("Traceback", done.stderr)
        gone = ended(started("/nonexistent.json", self.folder))
        self.assertEqual((gone.returncode, "cannot read" in gone.stderr), (2, True))

    def test_a_damaged_compressed_file_exits_2_and_is_named(self):
        path = self.folder / "kept.json.zst"
        compressed.write(path, json.dumps(self.example))
        whole = path.read_bytes()
        changed = whole[:100] + bytes([whole[100] ^ 0x55]) + whole[101:]
        for content, message in ((whole[:-20], "kept.json.zst ends too early"), (changed, "kept.json.zst is damaged")):
            path.write_bytes(content)
            done = ended(started(path, self.folder / "plots"))
            self.assertEqual(done.returncode, 2)
            self.assertIn(message, done.stderr)
            self.assertNotIn("Traceback", done.stderr)


class Parts(unittest.TestCase):
    def test_allocators_stand_in_the_fixed_order_with_variants_after_their_own(self):
        self.assertEqual(style.ordered(["zz", "floor", "glibc[a=1]", "jemalloc", "glibc"]),
                         ["glibc", "glibc[a=1]", "jemalloc", "floor", "zz"])

    def test_each_known_allocator_has_a_colour_and_a_mark_of_its_own(self):
        looks = [style.look(a) for a in style.ORDER]
        for key in ("color", "marker"):
            self.assertEqual(len({look[key] for look in looks}), len(style.ORDER))

    def test_a_cell_says_failed_not_measured_or_the_ratio(self):
        ratio = {"median": 0.5, "verdict": "better"}
        self.assertEqual(heatmap.cell(None, "ns")[0], "–")
        self.assertEqual(heatmap.cell({"count": 0, "failed": 2}, "ns")[0], "✕")
        self.assertEqual(heatmap.cell({"count": 5, "failed": 1, "ratio": ratio}, "ns")[0], "0.5× ✕")
        self.assertEqual(heatmap.cell({"count": 5, "failed": 0, "median": 2048}, "bytes")[0], "2 KiB")
        self.assertEqual(heatmap.cell({"count": 5, "failed": 0, "median": 2862}, "ns")[0], "2.86 µs")
        self.assertEqual(heatmap.cell({"count": 5, "failed": 0, "median": 208}, "ns")[0], "208 ns")
        for verdict, hatch in (("cannot tell", "////"), ("undecided", "////"), ("equal", None), ("better", None)):
            ratio = {"median": 1.1, "low": 0.9, "high": 1.3, "verdict": verdict}
            self.assertEqual(heatmap.cell({"count": 5, "ratio": ratio}, "ns")[2], hatch)

    def test_one_round_is_hatched_as_such_and_not_at_all_where_neither_direction_is_better(self):
        one_round = {"count": 1, "ratio": {"median": 1.1, "verdict": "cannot tell"}}
        self.assertEqual(heatmap.cell(one_round, "count", "lower")[2], "...")
        self.assertEqual(heatmap.cell(one_round, "count", "neither")[2], None)

    def test_rows_are_put_into_pages_that_fit_a_screen_and_none_is_lost(self):
        blocks = [[("a", n) for n in range(30)], [("b", n) for n in range(20)], [("c", n) for n in range(100)]]
        made = heatmap.pages(blocks, 44)
        self.assertTrue(all(sum(len(part) + 1 for part in page) <= 44 for page in made))
        self.assertEqual([row for page in made for part in page for row in part], [r for b in blocks for r in b])

    def test_ticks_of_ratios_stand_apart_however_wide_or_narrow_the_axis(self):
        for low, high in ((0.7, 86294), (0.04, 5.4), (0.98, 1.02), (0.2, 40), (1e-6, 1e6), (0.5, 2.2)):
            ticks = style.ratio_ticks(low, high, 0.13)
            self.assertGreaterEqual(len(ticks), 2, (low, high))
            places = [math.log(t / low) / math.log(high / low) for t in ticks]
            self.assertGreaterEqual(min(b - a for a, b in zip(places, places[1:])), 0.13, (low, high))
            self.assertEqual(len(set(style.labels_of(ticks, style.ratio_text))), len(ticks))
            written = style.ratio_ticks(low, high, 0.1, letter=0.022)
            self.assertLess(sum(len(style.ratio_text(t)) for t in written) * 0.022, 1.2)
            self.assertGreaterEqual(len(written), 2, (low, high))

    def test_labels_of_ticks_have_the_digits_that_tell_them_apart_and_no_more(self):
        self.assertEqual(style.labels_of([1, 1.01, 1.02], style.ratio_text), ["1×", "1.01×", "1.02×"])
        self.assertEqual(style.labels_of([1, 1.005, 1.01, 1.015], style.ratio_text), ["1×", "1.005×", "1.01×", "1.015×"])
        self.assertEqual(style.labels_of([2**30, 1.001 * 2**30], style.bytes_text), ["1 GiB", "1.001 GiB"])
        self.assertEqual(style.labels_of([1.2344e9, 1.2345e9], style.time_text), ["1.2344 s", "1.2345 s"])
        self.assertEqual(style.labels_of([100100, 100200], style.count_text), ["100.1k", "100.2k"])

    def test_axes_of_ratios_that_hardly_differ_have_no_two_labels_alike(self):
        for low, high in ((0.9985, 1.0125), (0.996, 1.021), (1.0004, 1.0301)):
            figure, axis = style.plt.subplots(figsize=(5.2, 5.8))
            axis.set_xscale("log")
            axis.set_yscale("log")
            axis.set_xlim(low, high)
            axis.set_ylim(low, high)
            style.ratio_axes(axis)
            figure.canvas.draw()
            for side in (axis.xaxis, axis.yaxis):
                labels = [label.get_text() for label in side.get_ticklabels()]
                self.assertGreaterEqual(len(labels), 2)
                self.assertEqual(len(set(labels)), len(labels), labels)
            style.plt.close(figure)

    def test_labels_of_points_on_one_spot_do_not_cover_each_other(self):
        figure, axis = style.plt.subplots()
        boxes = style.place_labels(figure, axis, [(str(n), 0.5 + n / 1000, 0.5) for n in range(12)], fontsize=8)
        style.plt.close(figure)
        for i, a in enumerate(boxes):
            for b in boxes[:i]:
                self.assertFalse(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3], (a, b))

    def test_better_and_worse_have_hues_of_their_own_whichever_way_the_ratio_goes(self):
        better, worse = heatmap.shade(0.5, "better"), heatmap.shade(0.5, "worse")
        self.assertGreater(better[2], better[0])
        self.assertGreater(worse[0], worse[2])
        self.assertEqual(heatmap.shade(0.5, "differs"), heatmap.GREY)

    def test_a_claim_that_was_not_measured_neither_holds_nor_fails(self):
        found = tutorial_steps.claims({"columns": ["claim", "holds"], "rows": [[1, 1], [2, 0], [3, None]]})
        self.assertEqual([found[n] for n in (1, 2, 3, 12)], [True, False, None, None])


if __name__ == "__main__":
    unittest.main()
