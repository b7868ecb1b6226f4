"""brkmmap's defaults are those of the committed study, results/tuning/brkmmap (`heapmark tune -a brkmmap --apply`).

The report is made anew from the study's database, so that neither it nor the committed report nor the table of tunables
can change without the others.
"""
import functools
import json
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "scripts/tune"), str(ROOT / "scripts/plots")]
import apply  # noqa: E402
import compressed  # noqa: E402
import report  # noqa: E402
import space  # noqa: E402
import study as studies  # noqa: E402

TUNING = ROOT / "results/tuning"
# Tunables that mean something else since the study was made: its finds do not apply to them. thread_cache was what
# each thread could hold; it is a bound within the budget that all threads share now. A new study empties this set.
REDEFINED = {"thread_cache", "huge_pages"}


@functools.cache
def report_again(name):
    """The report from the committed study's database, by the preference it was made with."""
    kept = json.loads((TUNING / name / "tune.json").read_text())
    with tempfile.TemporaryDirectory() as folder:  # a database that is opened may be written to
        copy = Path(folder) / "study.db"
        shutil.copy(TUNING / name / "study.db", copy)
        study = studies.Study(f"sqlite:///{copy}", f"heapmark-{name}", name)
        study.open(kept["objectives"])
        return kept, report.make(
            study,
            space.load(ROOT / "allocators/catalog", name),
            kept["objectives"],
            kept["recommendation"]["prefer"],
            kept["command"],
        )


class Committed(unittest.TestCase):
    def test_every_report_is_what_its_study_says(self):
        for name in ("brkmmap", "glibc", "jemalloc"):
            kept, again = report_again(name)
            self.assertEqual(json.loads(json.dumps(again)), kept, name)

    def test_brkmmaps_defaults_are_those_of_its_study(self):
        _, again = report_again("brkmmap")
        table = apply.defaults_of((ROOT / "allocators/brkmmap/tunables.def").read_text())
        found = apply.wanted_defaults(again)
        self.assertEqual(table.keys(), found.keys())
        for name in table.keys() - REDEFINED:
            self.assertEqual(table[name], found[name], name)

    def test_the_results_hold_the_trials_of_every_candidate(self):
        for name in ("brkmmap", "glibc", "jemalloc"):
            kept, _ = report_again(name)
            records = json.loads(compressed.read_text(TUNING / name / "results.json.zst"))["records"]
            labels = {record["allocator"] for record in records}
            allocator = space.load(ROOT / "allocators/catalog", name)
            for candidate in kept["candidates"]:
                self.assertIn(allocator.label(candidate["tunables"]), labels)


if __name__ == "__main__":
    unittest.main()
