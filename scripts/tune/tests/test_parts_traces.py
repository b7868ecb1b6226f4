"""Tests of what a study makes of traces on its command line, and of how the real command's word is taken."""
import math
import struct
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import judge  # noqa: E402
import report  # noqa: E402
import traces  # noqa: E402
from judge import Noise  # noqa: E402


class Words(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve()

    def trace(self, name, checksum):
        header = b"HMTRACE\0" + struct.pack("<III", 0x01020304, 1, 64)
        (self.folder / name).write_bytes(header.ljust(56, b"\0") + struct.pack("<Q", checksum) + b"segments")
        return f"trace:{self.folder / name}"

    def test_a_trace_is_searched_on_its_first_part_and_checked_on_the_rest(self):
        words = traces.Traces(["churn/small-1t", self.trace("a", 7)], [])
        self.assertEqual(words.words, [f"trace:{self.folder / 'a'}"])
        self.assertEqual(words.identities, ["0000000000000007"])
        self.assertEqual((words.searched_sets, words.checked_sets), (["to=0.6"], ["from=0.6"]))
        self.assertEqual(words.checked, words.words)
        self.assertIn("last 40% of the trace", words.where)

    def test_on_another_trace_both_are_whole(self):
        words = traces.Traces([self.trace("a", 7)], [self.trace("b", 8)])
        self.assertEqual((words.searched_sets, words.checked_sets), ([], []))
        self.assertEqual(words.checked, [f"trace:{self.folder / 'b'}"])
        self.assertEqual(words.where, "on another trace")

    def test_what_cannot_be_a_check_is_refused(self):
        one, same = self.trace("a", 7), self.trace("copy", 7)
        for searched, check in (([one], [same]), (["churn"], [one]), ([one], ["churn"])):
            with self.assertRaises(traces.BadTrace):
                traces.Traces(searched, check)
        (self.folder / "text").write_text("no trace")
        for wrong in (f"trace:{self.folder}/text", f"trace:{self.folder}/none"):
            with self.assertRaises(traces.BadTrace):
                traces.identity(wrong)

    def test_without_a_trace_nothing_changes(self):
        words = traces.Traces(["churn"], [])
        self.assertFalse(words)
        self.assertEqual((words.searched_sets, words.checked_sets, words.where), ([], [], ""))


def ratio(median, low=None, high=None):
    return {"median": median, "low": low or median, "high": high or median}


QUIET = Noise(math.log(1.02), math.log(1.05))


class Agreement(unittest.TestCase):
    def test_the_real_command_agrees_where_it_is_better_too(self):
        self.assertTrue(judge.agrees(ratio(0.8), QUIET, ratio(0.9), QUIET))
        self.assertFalse(judge.agrees(ratio(0.8), QUIET, ratio(1.0), QUIET))
        self.assertFalse(judge.agrees(ratio(0.8), QUIET, ratio(1.2), QUIET))
        self.assertIsNone(judge.agrees(ratio(0.8), QUIET, ratio(0.95, 0.8, 1.1), QUIET))

    def test_within_the_margin_two_findings_are_the_same(self):
        little_more = ratio(1.022, 1.002, 1.043)
        self.assertTrue(judge.agrees(little_more, QUIET, ratio(0.9998, 0.98, 1.02), QUIET))
        self.assertTrue(judge.agrees(ratio(0.9998, 0.98, 1.02), QUIET, little_more, QUIET))
        self.assertTrue(judge.agrees(ratio(0.99), QUIET, ratio(1.01), QUIET))
        self.assertFalse(judge.agrees(ratio(0.98), QUIET, ratio(1.02, 1.01, 1.04), QUIET))

    def test_what_the_trace_called_equal_must_be_so(self):
        self.assertTrue(judge.agrees(ratio(0.975), QUIET, ratio(1.025), QUIET))
        self.assertFalse(judge.agrees(ratio(1.0), QUIET, ratio(1.2), QUIET))
        self.assertFalse(judge.agrees(ratio(1.0), QUIET, ratio(0.8), QUIET))

    def test_nothing_can_be_told_where_one_of_the_two_is_not_known(self):
        unknown = ratio(1.01, 0.9, 1.1)
        for known in (ratio(0.8), ratio(1.0), ratio(1.2), unknown):
            self.assertIsNone(judge.agrees(unknown, QUIET, known, QUIET))
            self.assertIsNone(judge.agrees(known, QUIET, unknown, QUIET))

    def test_the_whole_agrees_where_every_objective_does(self):
        def agreed(time, rss):
            check = {"number": 3, "ratios": {"time": ratio(0.8), "rss": ratio(1.0)}}
            confirmed = {"number": 3, "command": "./app", "ratios": {"time": time, "rss": rss}, "noise": {}, "failure": ""}
            return report.confirmation(confirmed, check, {"time": QUIET, "rss": QUIET}, ["time", "rss"])["agrees"]

        unknown = ratio(1.0, 0.8, 1.2)
        self.assertIs(agreed(ratio(0.9), ratio(1.01)), True)
        self.assertIsNone(agreed(ratio(0.9), unknown))
        self.assertIs(agreed(ratio(1.1), unknown), False)

    def test_the_words_name_the_command_and_both_figures(self):
        check = {"number": 3, "ratios": {"time": ratio(0.8), "rss": ratio(1.0)}}
        confirmed = {
            "number": 3,
            "command": "./app",
            "ratios": {"time": ratio(0.9), "rss": ratio(1.3)},
            "noise": {"time": [0.01, 0.01], "rss": [0.01, 0.01]},
            "failure": "",
        }
        told = report.confirmation(confirmed, check, {"time": QUIET, "rss": QUIET}, ["time", "rss"])
        self.assertFalse(told["agrees"])
        self.assertIn("./app: 10 % less time (the trace: 20 % less time): agrees", told["words"])
        self.assertIn("30 % more RSS (the trace: RSS equal within 3 %): does not agree", told["words"])
        self.assertIsNone(report.confirmation(confirmed, {**check, "number": 4}, {}, []))


if __name__ == "__main__":
    unittest.main()
