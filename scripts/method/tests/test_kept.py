"""What --again reads: results files of an earlier run, and how long its runs took."""
import csv
import math
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import method  # noqa: E402
import runs  # noqa: E402


class Kept(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def test_a_file_is_found_plain_or_compressed_and_its_time_is_that_of_the_table(self):
        (self.folder / "power-3-1.json").write_text("{}", encoding="utf-8")
        (self.folder / "power-3-2.json.zst").write_text("{}", encoding="utf-8")
        kept = runs.Kept(self.folder, self.folder, {"power-3-1": 19.5})
        self.assertEqual(kept.run("power-3-1"), (self.folder / "power-3-1.json", 19.5))
        path, took = kept.run("power-3-2")
        self.assertEqual(path.name, "power-3-2.json.zst")
        self.assertTrue(math.isnan(took))  # so it is not found within the time that it may take
        with self.assertRaises(SystemExit):
            kept.run("power-3-3")

    def test_no_folder_is_made_where_there_is_none(self):
        with self.assertRaises(SystemExit):
            runs.Kept(self.folder, self.folder / "alarms", {})
        self.assertFalse((self.folder / "alarms").exists())

    def test_the_seconds_of_a_table_go_by_the_names_of_its_runs(self):
        table = self.folder / "power.csv"
        self.assertEqual(method.seconds_in(table), {})
        with open(table, "w", newline="", encoding="utf-8") as out:
            writer = csv.DictWriter(out, ["wanted", "run", "seconds"])
            writer.writeheader()
            writer.writerow({"wanted": 0.03, "run": 1, "seconds": "19.3"})
            writer.writerow({"wanted": 0.01, "run": 10, "seconds": "118.8"})
        self.assertEqual(method.seconds_in(table), {"power-3-1": 19.3, "power-1-10": 118.8})


if __name__ == "__main__":
    unittest.main()
