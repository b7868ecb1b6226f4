"""The front, the knee, the stopping rule and the noise bound on data that was worked out by hand."""
import math
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import judge  # noqa: E402
from judge import Candidate, Noise  # noqa: E402

TWO = ["time", "rss"]
QUIET = {"time": Noise(0.0, 0.0), "rss": Noise(0.0, 0.0)}
NOISY = {"time": Noise(math.log(1.05), math.log(1.2)), "rss": Noise(math.log(1.01), math.log(1.02))}


def ratio(median, low=None, high=None):
    return {"median": median, "low": low or median, "high": high or median}


def candidate(number, time, rss, tunables=None, **more):
    def as_ratio(value):
        return value if isinstance(value, dict) else ratio(value)

    return Candidate(
        number,
        tunables if tunables is not None else {"x": str(number)},
        {"time": as_ratio(time), "rss": as_ratio(rss)},
        **more
    )


def numbers(points):
    return [p.number for p in points]


class TheNoiseBound(unittest.TestCase):
    def test_is_the_far_end_of_the_a_a_interval(self):
        noise = judge.noise_of({"median": 1.01, "low": 0.96, "high": 1.02, "min": 0.8, "max": 1.1})
        self.assertAlmostEqual(noise.floor, -math.log(0.96))
        self.assertAlmostEqual(noise.spread, -math.log(0.8))

    def test_nothing_within_it_is_called_better(self):
        self.assertTrue(judge.better(ratio(0.94, 0.93, 0.95), NOISY["time"]))
        self.assertFalse(judge.better(ratio(0.96, 0.955, 0.965), NOISY["time"]))  # within the A/A floor of 5 %
        self.assertFalse(judge.better(ratio(0.8, 0.6, 1.01), NOISY["time"]))  # its own interval holds 1

    def test_a_lone_round_is_as_wide_as_a_a_rounds_are_spread(self):
        low, high = judge.bounds({"median": 1.0}, NOISY["time"])
        self.assertAlmostEqual(high, math.log(1.2))
        self.assertAlmostEqual(low, -math.log(1.2))


class TheStoppingRule(unittest.TestCase):
    def test_stops_what_is_worse_than_the_defaults_in_everything(self):
        self.assertTrue(judge.clearly_worse({"time": ratio(1.3, 1.2, 1.4), "rss": ratio(1.1, 1.05, 1.15)}, [], NOISY))

    def test_goes_on_where_one_objective_is_as_good(self):
        self.assertFalse(judge.clearly_worse({"time": ratio(3.0), "rss": ratio(1.005)}, [], NOISY))

    def test_goes_on_where_an_interval_reaches_the_noise(self):
        self.assertFalse(judge.clearly_worse({"time": ratio(1.3, 1.04, 1.5), "rss": ratio(1.1)}, [], NOISY))

    def test_a_lone_round_needs_more_than_the_spread(self):
        rss = {"median": 1.2}
        self.assertFalse(judge.clearly_worse({"time": {"median": 1.24}, "rss": rss}, [], NOISY))  # 1.2 x 1.05 = 1.26
        self.assertTrue(judge.clearly_worse({"time": {"median": 1.27}, "rss": rss}, [], NOISY))

    def test_compares_with_what_was_found_too(self):
        found = {"time": ratio(0.5), "rss": ratio(0.8)}
        self.assertTrue(judge.clearly_worse({"time": ratio(0.6), "rss": ratio(0.9)}, [found], NOISY))
        self.assertFalse(judge.clearly_worse({"time": ratio(0.6), "rss": ratio(0.9)}, [], NOISY))


class TheFront(unittest.TestCase):
    def test_is_what_nothing_dominates_with_the_defaults_among_it(self):
        points = [candidate(0, 0.5, 1.5), candidate(1, 0.6, 1.6), candidate(2, 2.0, 0.7), candidate(3, 0.5, 1.4)]
        self.assertEqual(numbers(judge.front(points, TWO)), [3, -1, 2])

    def test_loses_the_defaults_where_they_are_dominated(self):
        self.assertEqual(numbers(judge.front([candidate(0, 0.9, 0.9)], TWO)), [0])

    def test_leaves_out_what_failed_or_was_stopped(self):
        points = [candidate(0, 0.1, 0.1, state="failed"), candidate(1, 0.2, 0.2, state="stopped")]
        self.assertEqual(numbers(judge.front(points, TWO)), [-1])


class TheKnee(unittest.TestCase):
    def test_is_farthest_below_the_line_through_the_ends(self):
        # On log scales the ends are (-2, 2) and (0, 0) in powers of two; (-1.5, 0.5) lies 1 below the line x + y = 0.
        points = [
            candidate(0, 0.25, 4),
            candidate(1, 2**-1.5, 2**0.5),
            candidate(2, 2**-0.5, 2**0.4),
            candidate(-1, 1, 1, {}),
        ]
        self.assertEqual(judge.knee(points, TWO).number, 1)

    def test_a_bad_end_of_the_front_does_not_make_a_gain_look_small(self):
        points = [
            candidate(0, 0.62, 1.01),
            candidate(1, 1.58, 0.92),
            candidate(2, 5.36, 0.90),
            candidate(-1, 1, 1, {}),
        ]
        self.assertEqual(judge.knee(points, TWO).number, 0)


class TheRecommendation(unittest.TestCase):
    POINTS = [candidate(0, 0.25, 4), candidate(1, 0.35, 1.2), candidate(2, 1.5, 0.8)]

    def test_follows_the_preference(self):
        for prefer, number in (("speed", 0), ("memory", 2), ("balanced", 1)):
            self.assertEqual(judge.recommend(self.POINTS, TWO, QUIET, prefer).number, number, prefer)

    def test_is_none_where_nothing_beats_the_defaults_beyond_noise(self):
        points = [candidate(0, ratio(0.97, 0.96, 0.98), 1.0), candidate(1, ratio(0.8, 0.6, 1.1), 0.995)]
        for prefer in ("speed", "memory", "balanced"):
            self.assertIsNone(judge.recommend(points, TWO, NOISY, prefer), prefer)

    def test_balanced_takes_no_bad_bargain(self):
        self.assertIsNone(judge.recommend([candidate(0, 0.9, 2.0)], TWO, QUIET, "balanced"))

    def test_leaves_out_tunables_that_make_no_difference(self):
        points = [
            candidate(0, 0.500, 0.9, {"a": "1", "b": "2", "c": "3"}),
            candidate(1, 0.51, 0.905, {"a": "1"}),
            candidate(2, 0.7, 0.9, {"b": "2"}),
        ]
        self.assertEqual(judge.recommend(points, TWO, NOISY, "balanced").number, 1)
        self.assertEqual(judge.recommend(points, TWO, QUIET, "balanced").number, 0)


class TheCheck(unittest.TestCase):
    FOUND = {"time": ratio(0.7, 0.65, 0.75), "rss": ratio(1.1, 1.09, 1.11)}

    def test_holds_where_what_was_better_is_better_again(self):
        self.assertTrue(judge.holds(self.FOUND, {"time": ratio(0.9, 0.85, 0.96), "rss": ratio(1.3)}, NOISY, TWO))

    def test_fails_where_it_is_not(self):
        self.assertFalse(judge.holds(self.FOUND, {"time": ratio(1.02, 0.9, 1.1), "rss": ratio(0.9)}, NOISY, TWO))
        self.assertFalse(judge.holds(self.FOUND, {"rss": ratio(0.9)}, NOISY, TWO))

    def test_a_better_median_alone_confirms_nothing(self):
        self.assertFalse(judge.holds(self.FOUND, {"time": ratio(0.73, 0.15, 3.44), "rss": ratio(1.0)}, NOISY, TWO))

    def test_a_lone_round_confirms_only_what_exceeds_the_spread(self):
        self.assertFalse(judge.holds(self.FOUND, {"time": {"median": 0.9}, "rss": ratio(1.0)}, NOISY, TWO))
        self.assertTrue(judge.holds(self.FOUND, {"time": {"median": 0.5}, "rss": ratio(1.0)}, NOISY, TWO))

    def test_counts_the_workloads_that_are_no_worse(self):
        places = [ratio(0.8), ratio(1.04), ratio(1.3, 1.2, 1.4), ratio(1.3, 0.9, 1.6)]
        self.assertEqual(judge.no_worse(places, NOISY["time"]), (3, 4))


if __name__ == "__main__":
    unittest.main()
