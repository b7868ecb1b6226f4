"""What a search does with its time: on a study and a clock of its own."""
import sys
import time
import types
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import search  # noqa: E402


class Time(unittest.TestCase):
    def searching(self, budget, used, round_seconds, candidates=()):
        """A search that has used so many seconds of its budget."""
        asked = types.SimpleNamespace(budget=budget, objectives=["time"])
        study = types.SimpleNamespace(candidates=lambda: list(candidates))
        made = search.Search(None, study, types.SimpleNamespace(name="glibc"), None, asked, lambda text: None)
        made.began = time.monotonic() - used
        made.round_seconds = round_seconds
        return made

    def test_a_budget_in_which_no_candidate_fits_is_refused_with_one_that_does(self):
        # Two candidates and the defaults, three rounds of 30 s each, do not fit into 336 - 120 s.
        with self.assertRaisesRegex(search.TooShort, r"takes 30 s.*give --budget 1\dm"):
            self.searching(480, 120, 30).search()
        made = self.searching(15 * 60, 120, 30)
        self.assertTrue(made.batch_fits(search.LEAST_BATCH, search.SEARCH_SHARE))

    def test_a_study_that_has_candidates_is_reported_on_all_the_same(self):
        known = types.SimpleNamespace(state="measured", tunables={}, ratios={})
        self.searching(480, 470, 30, [known]).search()


if __name__ == "__main__":
    unittest.main()
