"""What a report says, on a study that was made up; no database, nothing measured."""
import math
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "scripts/tune"), str(ROOT / "scripts/plots")]
import measure  # noqa: E402
import pareto  # noqa: E402
import report  # noqa: E402
import space  # noqa: E402
from judge import Candidate, Noise  # noqa: E402

TWO = ["time", "rss"]
NOISE = {"time": Noise(math.log(1.05), math.log(1.1)), "rss": Noise(math.log(1.01), math.log(1.02))}


def ratio(median, low=None, high=None):
    return {"median": median, "low": low or median, "high": high or median}


def places(*medians):
    return [{"workload": f"w/{i}", **ratio(m)} for i, m in enumerate(medians)]


class MadeUp:
    """What report.make asks of a study."""

    def __init__(self, candidates, check=None):
        self._candidates = candidates
        self.facts = {
            "version": "2.36",
            "workloads": ["w/0", "w/1"],
            "defaults": {"top_pad": "131072"},
            "noise on here": {},
        }
        if check:
            self.facts["check"] = check

    def candidates(self):
        return self._candidates

    def noise(self, objectives):
        return NOISE

    def fact_of(self, number, key, otherwise=None):
        return {"GLIBC_TUNABLES": "glibc.malloc.top_pad=67108864"}


def candidate(number, time, rss, tunables, **more):
    return Candidate(
        number,
        tunables,
        {"time": ratio(time), "rss": ratio(rss)},
        places={"time": places(time, time), "rss": places(1.005, 1.2)},
        **more,
    )


GOOD = candidate(3, 0.66, 1.02, {"top_pad": "64M"})
BAD = candidate(4, 1.5, 1.5, {"top_pad": "0"}, state="stopped", why="clearly worse after the first round")
CRASH = Candidate(5, {"top_pad": "4K"}, {}, "failed", "w/0: crashed: SIGSEGV")


def check(time, rss, number=3, failure=""):
    return {
        "number": number,
        "seed": 7,
        "workloads": ["w/0", "v/0"],
        "failure": failure,
        "ratios": {"time": ratio(time), "rss": ratio(rss)},
        "places": {"time": places(time, 0.9, 1.3), "rss": places(rss, 1, 1)},
    }


class Report(unittest.TestCase):
    def make(self, candidates, checked=None):
        told = report.make(
            MadeUp(candidates, checked),
            space.load(ROOT / "allocators/catalog", "glibc"),
            TWO,
            "balanced",
            "heapmark tune",
        )
        return told, report.text(told)

    def test_a_find_that_held_is_said_in_words_with_the_line_to_paste(self):
        told, text = self.make([GOOD, BAD, CRASH], check(0.8, 1.05))
        self.assertIn(
            "Recommended (balanced): top_pad 64M: 20 % less time, 5 % more RSS on held-out workloads "
            "(34 % less time, 2 % more RSS, 1 of 2 workloads no worse where it was searched)",
            text,
        )
        self.assertIn(
            "on 3 held-out workloads with another seed: 20 % less time, 5 % more RSS, 1 of 3 no worse", text
        )
        self.assertIn("1 of 3 no worse; worse on w/2 (30 % more time), w/0 (5 % more RSS)", text)
        self.assertIn("  GLIBC_TUNABLES=glibc.malloc.top_pad=67108864", text)
        self.assertIn("  mallopt(M_TOP_PAD, 67108864);", text)
        self.assertIn("✗ failed: top_pad 4K: w/0: crashed: SIGSEGV", text)
        self.assertTrue(told["check"]["held"])
        self.assertEqual([c["on_front"] for c in told["candidates"]], [True, False, False])

    def test_a_find_that_did_not_hold_is_not_recommended(self):
        told, text = self.make([GOOD], check(1.02, 1.0))
        self.assertFalse(told["check"]["held"])
        self.assertIn("Not recommended (balanced): keep the defaults: top_pad 64M was not confirmed", text)
        self.assertIn("Keep glibc's defaults.", text)
        self.assertEqual(told["recommendation"]["paste"], "")
        self.assertNotIn("GLIBC_TUNABLES", text)

    def test_a_check_under_which_a_workload_failed_does_not_hold(self):
        told, _ = self.make([GOOD], check(0.8, 1.0, failure="v/0: out of memory"))
        self.assertFalse(told["check"]["held"])

    def test_a_check_of_another_candidate_counts_for_nothing(self):
        told, text = self.make([GOOD], check(0.8, 1.0, number=1))
        self.assertIsNone(told["check"])
        self.assertIn("Not checked", text)
        self.assertIn("found, not confirmed", text)
        self.assertNotIn("GLIBC_TUNABLES", text)

    def test_nothing_beyond_noise_is_said_to_be_nothing(self):
        _, text = self.make([candidate(0, 0.97, 1.0, {"top_pad": "0"})])
        self.assertIn("Nothing that was tried beats the defaults beyond the noise of this machine: keep them.", text)

    def test_a_search_that_measured_nothing_learned_nothing(self):
        _, text = self.make([])
        self.assertIn("nothing was learned about the defaults", text)
        self.assertNotIn("beats", text)

    def test_a_check_whose_interval_reaches_1_confirms_nothing(self):
        checked = check(0.73, 1.0)
        checked["ratios"]["time"] = ratio(0.73, 0.15, 3.44)
        told, text = self.make([GOOD], checked)
        self.assertFalse(told["check"]["held"])
        self.assertNotIn("GLIBC_TUNABLES", text)

    def test_a_bad_bargain_is_told_apart_from_nothing(self):
        _, text = self.make([candidate(0, 0.8, 1.6, {"top_pad": "1M"})])
        self.assertIn("cost as much or more in another", text)

    def test_a_thing_that_takes_five_times_as_long_is_not_told_in_per_cent(self):
        self.assertEqual(report.change("time", ratio(5.2), NOISE["time"]), "5.2 times the time")

    def test_every_objective_has_its_words_and_its_axis(self):
        for name in measure.PASS_OF:
            for of in (ratio(0.7), ratio(1.2), ratio(3), ratio(1, 0.5, 2)):
                self.assertTrue(report.change(name, of, NOISE["time"]))
            self.assertIn(name, pareto.AXES)

    def test_equal_and_cannot_be_told_are_different_words(self):
        self.assertEqual(report.change("rss", ratio(1.005), NOISE["rss"]), "RSS equal within 3 %")
        self.assertEqual(report.change("rss", ratio(1.0, 0.9, 1.1), NOISE["rss"]), "RSS cannot be told")


if __name__ == "__main__":
    unittest.main()
