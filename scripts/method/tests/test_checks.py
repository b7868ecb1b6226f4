import csv
import math
import random
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import checks  # noqa: E402


def row(allocator, ratio, low, high, verdict="better", metric="ns_per_op"):
    return {"workload": "churn", "variant": "small", "pass": "speed", "metric": metric, "allocator": allocator,
            "ratio": ratio, "ratio_low": low, "ratio_high": high, "verdict": verdict}


class Checks(unittest.TestCase):
    def test_intervals_that_meet_and_intervals_that_do_not(self):
        lockstep = [row("a", "0.5", "0.45", "0.55"), row("b", "0.5", "0.49", "0.51"), row("c", "1", "", "")]
        isolated = [row("a", "0.6", "0.54", "0.66"), row("b", "0.6", "0.59", "0.61"), row("c", "1", "0.9", "1.1")]
        compared = checks.compare(lockstep, isolated)
        self.assertEqual([c["intervals_meet"] for c in compared], ["yes", "no", ""])

    def test_what_only_one_of_them_measured_is_left_out(self):
        self.assertEqual(checks.compare([row("a", "1", "0.9", "1.1")], []), [])
        self.assertEqual(checks.of_time([row("glibc", "", "", "")]), [])

    def test_commands_are_compared_by_their_cpu_time(self):
        def pair(ratio, low, high):
            return [row("a", ratio, low, high, metric="cpu_seconds"), row("a", "9", "8", "10", metric="wall_seconds")]
        compared = checks.compare_commands(pair("1.1", "1.05", "1.15"), pair("1.3", "1.1", "1.5"))
        self.assertEqual(compared, [{
            "command": "churn", "allocator": "a", "turns": "1.1", "turns_low": "1.05", "turns_high": "1.15",
            "rounds": "1.3", "rounds_low": "1.1", "rounds_high": "1.5", "intervals_meet": "yes"}])

    def test_spread_is_on_logarithms_and_leaves_out_what_failed(self):
        self.assertAlmostEqual(checks.spread([2, 0.5, None]), math.sqrt(2) * math.log(2))
        self.assertTrue(math.isnan(checks.spread([1.0, None])))
        self.assertIsNone(checks.ratio_of_cpu([]))

    def test_sets_share_no_round(self):
        sets = checks.disjoint_sets(range(20), 6, random.Random(1))
        self.assertEqual(len(sets), 3)
        drawn = [number for one in sets for number in one]
        self.assertEqual(len(set(drawn)), 18)
        self.assertNotEqual(drawn, list(range(18)))

    def test_a_subset_of_rounds_is_numbered_anew(self):
        results = {"records": [{"round": n, "id": n} for n in range(5)], "statistics": [1], "benchmarks": [1]}
        part = checks.only_rounds(results, [1, 4])
        self.assertEqual([(r["round"], r["id"]) for r in part["records"]], [(0, 1), (1, 4)])
        self.assertEqual(part["statistics"], [])
        self.assertEqual(results["records"][4]["round"], 4)

    def test_runs_are_joined_with_their_rounds_numbered_on(self):
        part = {"records": [{"round": 0, "id": "a"}, {"round": 1, "id": "b"}], "statistics": [1], "benchmarks": [1], "x": 1}
        both = checks.joined([part, part])
        self.assertEqual([(r["round"], r["id"]) for r in both["records"]], [(0, "a"), (1, "b"), (2, "a"), (3, "b")])
        self.assertEqual((both["statistics"], both["x"]), ([], 1))
        self.assertEqual(part["records"][0]["round"], 0)

    def test_alarms_are_verdicts_of_a_difference(self):
        rows = [row("a", "1", "", "", v) for v in ("better", "worse", "equal", "cannot tell yet", "", "differs")]
        self.assertEqual(checks.alarms(rows), (3, 5))

    def test_steps_follow_from_the_calibration(self):
        self.assertAlmostEqual(checks.steps_for(0.03, {0: 1.0, 40: 1.4}), 3)
        # The first steps cost less.
        self.assertAlmostEqual(checks.steps_for(0.03, {0: 1.0, 9: 1.01, 19: 1.05, 40: 1.13}), 14)
        with self.assertRaises(ValueError):
            checks.steps_for(0.03, {0: 1.0, 40: 1.02})


class Drawing(unittest.TestCase):
    def draw(self, folder):
        script = Path(__file__).resolve().parents[1] / "draw.py"
        return subprocess.run(["/usr/bin/python3", "-B", script, folder], capture_output=True, text=True, check=False)

    def test_it_draws_what_is_there_and_says_what_is_missing(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertIn("make them with method.py", self.draw(folder).stderr)
            compared = checks.compare([row("glibc", "0.5", "0.45", "0.55")], [row("glibc", "0.6", "0.5", "0.7")])
            with open(Path(folder) / "isolated.csv", "w", newline="", encoding="utf-8") as out:
                writer = csv.DictWriter(out, fieldnames=list(compared[0]))
                writer.writeheader()
                writer.writerows(compared)
            done = self.draw(folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertGreater((Path(folder) / "method.png").stat().st_size, 10_000)


if __name__ == "__main__":
    unittest.main()
