"""Which files the parts of a study are joined into: by a bench whose program is a stand-in that writes what it is asked."""
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import measure  # noqa: E402


class Joining(measure.Bench):
    """`merge FILES -o OUT` writes the names of FILES into OUT."""

    def call(self, *arguments):
        words = [str(word) for word in arguments]
        files = [Path(word).name for word in words[1 : words.index("-o")] if not word.startswith("-")]
        Path(words[-1]).write_text(" ".join(files))


class Asking(measure.Bench):
    """Keeps the words of its last call."""

    def call(self, *arguments):
        self.words = [str(word) for word in arguments]


class Run(unittest.TestCase):
    def asked(self, objectives):
        with tempfile.TemporaryDirectory() as folder:
            bench = Asking("heapmark", folder, objectives, True)
            bench.run("batch", ["glibc", "glibc[arena_max=1]"], ["churn/small-1t"], 2, 0, 1, 60)
            return bench.words

    def test_time_under_pressure_is_measured_at_two_limits_and_without_the_search(self):
        words = self.asked(["time", "pressure_time"])
        self.assertEqual(words[words.index("--pass") + 1], "speed,pressure")
        self.assertEqual(words[words.index("--pressure") + 1], "0.9,0.8")
        self.assertEqual(words[words.index("-r") + 1], "speed=2,pressure=2")

    def test_without_that_objective_no_limit_is_asked_for(self):
        self.assertNotIn("--pressure", self.asked(["time", "rss"]))


class Measure(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.bench = Joining("heapmark", self.folder, ["time"], True)
        self.bench.parts.mkdir()
        (self.bench.parts / "batch.json").write_text("trials")

    def test_parts_are_joined_with_what_an_earlier_session_left(self):
        (self.folder / "results.json").write_text("trials")
        self.assertEqual(self.bench.collect().name, "results.json")
        self.assertEqual((self.folder / "results.json").read_text(), "results.json batch.json")
        self.assertFalse(self.bench.parts.exists())

    def test_a_study_that_was_kept_compressed_goes_on_in_that_file(self):
        (self.folder / "results.json.zst").write_text("trials")
        self.assertEqual(self.bench.collect().name, "results.json.zst")
        self.assertEqual((self.folder / "results.json.zst").read_text(), "results.json.zst batch.json")
        self.assertEqual([path.name for path in self.folder.iterdir()], ["results.json.zst"])

    def test_a_new_check_replaces_the_kept_one(self):
        (self.folder / "check.json.zst").write_text("old")
        self.bench.keep_apart(self.bench.parts / "batch.json", "check")
        self.assertFalse((self.folder / "check.json.zst").exists())
        self.assertEqual((self.folder / "check.json").read_text(), "batch.json")


if __name__ == "__main__":
    unittest.main()
