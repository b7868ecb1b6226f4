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

    def stand_ins(self, sbatch_end=""):
        """An sbatch that runs the first task at once, where it stands, and a heapmark that tells its arguments."""
        programs = self.folder / "bin"
        programs.mkdir()
        (programs / "sbatch").write_text(
            f"#!/bin/bash\n{sbatch_end}\necho 7\ncat >job-$$ && chmod +x job-$$ && SLURM_ARRAY_TASK_ID=1 ./job-$$ >&2\n"
        )
        (self.folder / "heapmark").write_text(
            "#!/usr/bin/python3\nimport json, os, sys\n"
            "with open('told', 'a') as told: told.write(json.dumps(sys.argv[1:]) + '\\n')\n"
            "if '-o' in sys.argv: open(sys.argv[sys.argv.index('-o') + 1], 'w').close()\n"
        )
        for program in (programs / "sbatch", self.folder / "heapmark"):
            program.chmod(0o755)
        return {**os.environ, "LC_ALL": "C", "PATH": f"{programs}:{os.environ['PATH']}"}

    def test_arguments_arrive_as_they_were_given_in_the_folder_they_were_given_in(self):
        odd = ["-a", "glibc[x=1, y=2]", "it's", "tab\there", "gr\u00f6\u00dfe", "$HOME", "*", "", "mine=./lib.so"]
        done = self.submit(
            "--heapmark", "./heapmark", "--out", "to here", "--", "run", *odd, environment=self.stand_ins()
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        out = f"{self.folder.resolve()}/to here"
        told = [json.loads(line) for line in (self.folder / "told").read_text().splitlines()]
        self.assertEqual(told[0], ["run", *odd, "--shard", "1/4", "-o", f"{out}/shard-1.json"])
        self.assertEqual(told[1], ["merge", f"{out}/shard-1.json", "-o", f"{out}/results.json"])

    def test_each_worker_of_a_search_has_its_own_folder(self):
        search = ["tune", "-a", "glibc", "--storage=postgresql+psycopg2://u@h/d"]
        done = self.submit(
            "--heapmark", "./heapmark", "--workers", "2", "--", *search, environment=self.stand_ins()
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads((self.folder / "told").read_text())
        self.assertEqual(told, [*search, "--out", f"{self.folder.resolve()}/heapmark-cluster/worker-1"])

    def test_a_refused_merge_is_told_with_the_line_that_makes_up_for_it(self):
        refuse = 'case "$*" in *dependency*) echo no >&2; exit 1;; esac'
        done = self.submit("--heapmark", "./heapmark", "--wait", "--", "run", environment=self.stand_ins(refuse))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("refused the merge", done.stderr)
        self.assertIn("/heapmark merge ", done.stderr)

    def test_nothing_is_left_of_a_node_that_is_left_in_mid_job(self):
        with one_node.SlurmNode() as node:
            job = ["sbatch", "--output=/dev/null", f"--wrap=touch {node.folder}/begun; sleep 250"]
            subprocess.run(job, env=node.environment, capture_output=True, timeout=20, check=True)
            node.wait_until((node.folder / "begun").exists, "the job")
        mark = f"SLURM_CONF={node.folder}/".encode()
        left = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (process / "environ").read_bytes():
                    left.append((process / "cmdline").read_bytes())
            except OSError:
                pass
        self.assertEqual(left, [])
        self.assertFalse(node.folder.exists())

    def test_bad_usage_is_told_with_what_to_do(self):
        for arguments, expected in (
            (["sweep"], "unknown option"),
            ([], "after --"),
            (["--", "show"], "not 'show'"),
            (["--shards", "0", "--", "run"], "number above 0"),
            (["--out"], "--out needs a value"),
            (["--out", "", "--", "run"], "--out needs a value"),
            (["--shards", "--", "run"], "--shards needs a value"),
            (["--", "run", "-o", "x"], "decides where"),
            (["--", "sweep", "-ox"], "decides where"),
            (["--", "tune", "--storage", "URL", "--out", "x"], "decides where"),
            (["--", "run", "--resume", "x"], "cannot be resumed"),
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
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("apt-get install slurm-wlm", done.stderr)
        self.assertIn("--shard 2/2 -o shard-2.json", done.stderr)
        self.assertIn(r"glibc\[top_pad=0\]", done.stderr)


if __name__ == "__main__":
    unittest.main()
