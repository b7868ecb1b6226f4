"""scripts/micro as users run it, on two benchmarks: columns of the allocators asked for and of no other, a process for
each run, heapmark's own statistics. No timing is judged. HEAPMARK_BUILD_DIR names the build.
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts/plots"))
import compressed  # noqa: E402


class SideBySide(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def micro(self, *arguments):
        return subprocess.run([str(ROOT / "scripts/micro"), "--build", os.environ["HEAPMARK_BUILD_DIR"], "--out",
                               str(self.folder), *arguments], capture_output=True, text=True, check=False)

    def test_only_what_was_asked_for_has_a_column_and_the_statistics_are_heapmarks(self):
        done = self.micro("--allocators", "glibc,brkmmap", "--only", "^(pair/16|aligned/64)$", "--rounds", "2",
                          "--min-time", "0.001")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.startswith("| median | glibc | brkmmap |"), done.stdout)
        self.assertNotIn("failed", done.stdout)
        results = json.loads(compressed.read_text(self.folder / "results.json.zst"))
        runs = [(r["variant"], r["allocator"], r["round"]) for r in results["records"]]
        self.assertEqual(sorted(runs), sorted((name, allocator, turn) for name in ("pair/16", "aligned/64")
                                              for allocator in ("glibc", "brkmmap") for turn in (0, 1)))
        for one in results["records"]:  # on its own malloc, and measured
            self.assertEqual("brkmmap" in one["malloc_library"], one["allocator"] == "brkmmap")
            self.assertGreater(one["metrics"]["ns_per_op"], 0)
        self.assertEqual({(s["allocator"], s["count"]) for s in results["statistics"]}, {("glibc", 2), ("brkmmap", 2)})
        again = self.micro("--table-only")
        self.assertEqual((again.returncode, again.stdout), (0, done.stdout))

    def test_another_build_of_a_library_has_a_name_of_its_own(self):
        library = Path(os.environ["HEAPMARK_BUILD_DIR"]).resolve() / "libbrkmmap.so"
        done = self.micro("--allocators", f"before={library},glibc", "--only", "^new_delete/64$", "--rounds", "1",
                          "--min-time", "0.001")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.startswith("| median | before | glibc |"), done.stdout)

    def test_wrong_usage_exits_2_and_says_what_is_wrong(self):
        for arguments, expected in ((("--allocators", "glibcc"), 'did you mean "glibc"'),
                                    (("--allocators", "glibc", "--baseline", "tcmalloc"), "is not measured"),
                                    (("--allocators", "glibc", "--only", "^nothing$"), "no benchmark matches"),
                                    (("--table-only",), "cannot read")):
            done = self.micro(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(expected, done.stderr)


if __name__ == "__main__":
    unittest.main()
