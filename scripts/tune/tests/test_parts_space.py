"""The values that a search tries, and what it is told where there are none."""
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts/tune"))
import space  # noqa: E402

CATALOG = ROOT / "allocators/catalog"


def row(**more):
    return {"name": "x", "type": "integer", "default": "0", "range": [0, 10], "scale": "log", **more}


class Values(unittest.TestCase):
    def test_sizes_go_in_powers_of_two_within_the_search_range(self):
        self.assertEqual(
            space.values_of(row(type="bytes", unit="bytes", range=[4096, 2**30], search=[32768, 2**18])),
            ["32K", "64K", "128K", "256K"],
        )

    def test_no_bytes_at_all_are_one_value(self):
        self.assertEqual(space.values_of(row(type="bytes", unit="bytes", range=[0, 16384])), ["0", "4K", "8K", "16K"])

    def test_small_sizes_are_kept_where_the_range_begins_below_a_page(self):
        self.assertEqual(space.values_of(row(type="bytes", unit="bytes", range=[16, 64])), ["16", "32", "64"])

    def test_times_go_in_steps_of_about_three_with_never_and_at_once(self):
        self.assertEqual(
            space.values_of(row(unit="ms", range=[-1, 300])), ["-1", "0", "1", "3", "10", "30", "100", "300"]
        )

    def test_counts_booleans_choices_and_linear_scales(self):
        self.assertEqual(space.values_of(row(range=[1, 8])), ["1", "2", "4", "8"])
        self.assertEqual(space.values_of(row(type="boolean")), ["off", "on"])
        self.assertEqual(space.values_of(row(scale="choice", range=[0, 2])), ["0", "1", "2"])
        self.assertEqual(space.values_of(row(scale="linear", range=[0, 100]))[:3], ["0", "10", "20"])

    def test_every_value_of_the_catalog_lies_in_its_range(self):
        units = {"K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
        for path in CATALOG.glob("*.toml"):
            for name, tunable in space.load(CATALOG, path.stem).tunables.items():
                for value in space.values_of(tunable):
                    if tunable["type"] == "boolean":
                        continue
                    number = int(value[:-1]) * units[value[-1]] if value[-1] in units else int(value)
                    low, high = tunable["range"]
                    self.assertTrue(low <= number <= high, f"{path.stem} {name}={value}")


class Allocators(unittest.TestCase):
    def test_those_with_a_search_range_are_searched_the_others_on_demand(self):
        brkmmap = space.load(CATALOG, "brkmmap")
        self.assertIn("purge_threshold", brkmmap.space())
        self.assertNotIn("huge_pages", brkmmap.space())
        self.assertEqual(list(brkmmap.space(["huge_pages"])), ["huge_pages"])

    def test_a_label_is_what_run_takes(self):
        glibc = space.load(CATALOG, "glibc")
        self.assertEqual(glibc.label({}), "glibc")
        self.assertEqual(glibc.label({"top_pad": "0", "arena_max": "1"}), "glibc[top_pad=0,arena_max=1]")

    def test_what_is_unknown_is_told_with_what_is_known(self):
        with self.assertRaisesRegex(space.BadSpace, 'did you mean "jemalloc"'):
            space.load(CATALOG, "jemaloc")
        with self.assertRaisesRegex(space.BadSpace, 'did you mean "trim_threshold".*known: mmap_threshold'):
            space.load(CATALOG, "glibc").space(["trim_treshold"])
        with self.assertRaisesRegex(space.BadSpace, "no tunables"):
            space.load(CATALOG, "floor").space()


if __name__ == "__main__":
    unittest.main()
