"""Tests of the one picture of a group: which rows, how large, and that nothing is written over anything else."""
import random
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import example_results  # noqa: E402
import style  # noqa: E402
import time_peak_map  # noqa: E402
from results import NotApplicable, Results  # noqa: E402


def group(count, without_memory=()):
    """Invented results of `count` workloads with long names on every allocator of the example."""
    data, rng = example_results.make(), random.Random(3)
    data["statistics"] = [example_results.statistic(rng, label, f"linux-scalability-{n}", "small-cached-1t", metric, 5)
                          for n in range(count) for label in example_results.LABELS if label != "floor"
                          for metric in ("ns_per_op", "rss_peak_bytes")
                          if not (metric == "rss_peak_bytes" and n in without_memory)]
    return Results("example.json", data)


def texts(figure):
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    shown = [t for axis in figure.axes for t in (*axis.texts, *axis.get_xticklabels(), axis.title)]
    return [(t, t.get_window_extent(renderer)) for t in [*shown, *figure.texts] if t.get_text()]


class TimePeakMap(unittest.TestCase):
    def test_a_row_is_what_was_measured_in_both_passes(self):
        rows = time_peak_map.rows_of(group(8, without_memory=(2,)))
        self.assertEqual([w for w, _ in rows], [f"linux-scalability-{n}" for n in range(8) if n != 2])

    def test_few_workloads_make_no_picture(self):
        with self.assertRaises(NotApplicable):
            list(time_peak_map.draw(group(5)))

    def test_a_group_of_35_is_one_picture_of_at_most_1600_by_1800_pixels(self):
        (name, figure), = time_peak_map.draw(group(35))
        width, height = figure.get_size_inches() * style.DPI
        style.plt.close(figure)
        self.assertEqual(name, "time_peak_map")
        self.assertLessEqual(width, 1600)
        self.assertLessEqual(height, 1800)

    def test_what_fits_no_screen_goes_on_in_another_picture_and_no_row_is_lost(self):
        rows = [("w", str(n)) for n in range(77)]
        made = time_peak_map.parts(rows, 38)
        self.assertEqual([row for part in made for row in part], rows)
        self.assertTrue(all(len(part) <= 38 for part in made))

    def test_no_text_covers_another_or_leaves_the_picture(self):
        (_, figure), = time_peak_map.draw(group(12))
        boxes = texts(figure)
        whole = figure.bbox
        style.plt.close(figure)
        for i, (text, box) in enumerate(boxes):
            self.assertTrue(whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0 and box.y1 <= whole.y1,
                            text.get_text())
            if text.get_rotation() != 0:
                continue  # a box around slanted text overlaps its neighbour's
            for other, theirs in boxes[:i]:
                if other.get_rotation() == 0:
                    self.assertFalse(box.overlaps(theirs), (text.get_text(), other.get_text()))

    def test_a_cell_has_the_ratio_in_at_most_four_letters_or_says_that_trials_failed(self):
        for value, text in ((0.123, "0.12"), (9.99, "9.99"), (12.34, "12.3"), (123.4, "123")):
            self.assertEqual(time_peak_map.short_ratio(value), text)
        self.assertEqual(time_peak_map.cell({"count": 0, "failed": 2}, "ns")[0], "✕")
        ratio = {"median": 0.5, "verdict": "better"}
        self.assertEqual(time_peak_map.cell({"count": 5, "failed": 0, "ratio": ratio}, "ns")[0], "0.50")


if __name__ == "__main__":
    unittest.main()
