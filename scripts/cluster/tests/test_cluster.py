"""A sweep as a Slurm array of four shards, on a node that the test starts: merged, it is the sweep of one piece.

HEAPMARK_PROGRAM names the program. Skipped with a word where Slurm is not installed or cannot be started.
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import one_node  # noqa: E402

SUBMIT = HERE.parent / "submit"
PROGRAM = os.environ.get("HEAPMARK_PROGRAM", "heapmark")
SWEEP = [
    "sweep",
    "-a",
    "glibc",
    "-w",
    "tutorial",
    "--vary",
    "mmap_threshold=64K,128K,256K",
    "--vary",
    "trim_threshold=128K,1M",
    "--pass",
    "speed,memory",
    "-r",
    "speed=4,memory=4",
    "--quick",
]
PLAN = ("id", "allocator", "workload", "variant", "parameters", "pass", "round", "seed", "environment", "library")


def trials(path):
    return [{key: record[key] for key in PLAN} for record in json.loads(Path(path).read_text())["records"]]


class Cluster(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def submit(self, *arguments, environment=None):
        return subprocess.run(
            [str(SUBMIT), "--heapmark", PROGRAM, *arguments],
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
            env=environment or os.environ,
            cwd=self.folder,
        )

    def test_four_shards_merged_are_the_plan_trial_for_trial(self):
        whole = self.folder / "whole.json"
        subprocess.run([PROGRAM, *SWEEP, "-o", str(whole)], capture_output=True, timeout=120, check=True)
        with one_node.SlurmNode() as node:
            done = self.submit(
                "--shards", "4", "--out", "parts of it", "--wait", "--", *SWEEP, environment=node.environment
            )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        parts = sorted((self.folder / "parts of it").glob("shard-*.json"))
        self.assertEqual(len(parts), 4)
        self.assertEqual(len(trials(whole)), 7 * 8)  # 3 x 2 settings and the defaults, 4 rounds of two passes
        self.assertEqual(trials(self.folder / "parts of it/results.json"), trials(whole))
        self.assertTrue(all(len(trials(part)) == 7 * 2 for part in parts))
        merged = json.loads((self.folder / "parts of it/results.json").read_text())
        self.assertTrue(merged["statistics"])
        self.assertTrue(all(record["host"] for record in merged["records"]))

    def test_bad_usage_is_told_with_what_to_do(self):
        for arguments, expected in (
            (["sweep"], "unknown option"),
            ([], "after --"),
            (["--", "show"], "not 'show'"),
            (["--shards", "0", "--", "run"], "number above 0"),
            (["--", "run", "-o", "x"], "--out decides"),
            (["--", "run", "--shard", "1/2"], "its own"),
            (["--", "tune", "-a", "glibc"], "--storage"),
        ):
            done = self.submit(*arguments)
            self.assertEqual((done.returncode, expected in done.stderr), (2, True), (arguments, done.stderr))
        (self.folder / "full").mkdir()
        (self.folder / "full/shard-1.json").write_text("{}")
        self.assertIn("holds results already", self.submit("--out", "full", "--", "run").stderr)

    def test_without_slurm_the_commands_are_told(self):
        programs = self.folder / "bin"
        programs.mkdir()
        for name in ("bash", "seq", "readlink", "dirname", "env"):
            found = next(Path(p) / name for p in os.environ["PATH"].split(":") if (Path(p) / name).exists())
            (programs / name).symlink_to(found)
        done = self.submit(
            "--shards", "2", "--", "run", "-a", "glibc[top_pad=0],brkmmap", environment={"PATH": str(programs)}
        )
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("apt-get install slurm-wlm", done.stderr)
        self.assertIn("--shard 2/2 -o shard-2.json", done.stderr)
        self.assertIn(r"glibc\[top_pad=0\]", done.stderr)


if __name__ == "__main__":
    unittest.main()
