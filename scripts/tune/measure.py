"""Measures candidates side by side with the defaults, by `heapmark run`, and reads the ratios it worked out.

Owns: the command lines, the parts (results files of single runs) and joining them. Statistics are heapmark's. Every run
gets round numbers of its own, so that the parts can be merged.
"""
import json
import os
import subprocess
import sys
import time
from pathlib import Path

PASS_OF = {"time": "speed", "rss": "memory", "faults": "speed", "failed": "limit", "p999": "latency",
           "pressure_time": "pressure"}
# Limits of a candidate. At 0.7 a heap of small blocks takes a hundred times its time on glibc; and the search for the
# smallest limit takes many trials.
PRESSURE = "0.9,0.8"
WRONG_USAGE, SOME_TRIAL_FAILED, INTERRUPTED = 2, 3, (130, 143)  # SIGINT, SIGTERM


def compressed_beside(path):
    """The name of `path` where it is kept compressed (scripts/keep)."""
    return path.with_name(path.name + ".zst")


class MeasureError(Exception):
    """heapmark could not measure at all; the message is what it said."""


class WrongUsage(MeasureError):
    """It refused its flags."""


class Bench:
    """`heapmark run` with what stays the same over a study."""

    def __init__(self, program, folder, objectives, quick, command=(), sets=()):
        """`command`: flags and words of a command that is the work; then no workloads are named. `sets`: what --set
        is told, but where a run says otherwise."""
        self.sets = list(sets)
        self.program, self.quick, self.command = str(program), quick, list(command)
        self.passes = list(dict.fromkeys(PASS_OF[name] for name in objectives))
        self.folder = Path(folder)
        self.parts = self.folder / f"parts-{os.uname().nodename}-{os.getpid()}"
        self.timeout = None

    def call(self, *arguments):
        """What the program printed. Raises MeasureError, or KeyboardInterrupt where it was interrupted."""
        # On a terminal its progress line and its errors are the user's to see as they come.
        seen = sys.stderr.isatty()
        ended = subprocess.run(
            [self.program, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=None if seen else subprocess.PIPE,
            text=True,
            check=False,
        )
        if ended.returncode in INTERRUPTED:
            raise KeyboardInterrupt
        if ended.returncode not in (0, SOME_TRIAL_FAILED):
            raise (WrongUsage if ended.returncode == WRONG_USAGE else MeasureError)(
                (ended.stderr or "").strip().removeprefix("heapmark: ")
                or f"heapmark {arguments[0]} ended with {ended.returncode}"
            )
        return ended.stdout

    def run(self, name, labels, workloads, rounds, first_round, seed, budget, sets=None):
        """Runs `labels`, the first being the defaults, and returns (part, seconds it took)."""
        sets = self.sets if sets is None else sets
        self.parts.mkdir(parents=True, exist_ok=True)
        part = self.parts / f"{name}.json"
        per_pass = ",".join(f"{pass_}={rounds}" for pass_ in self.passes)
        began = time.monotonic()
        self.call(
            "run",
            "-a",
            ",".join(labels),
            *([] if self.command else ["-w", ",".join(workloads)]),
            "--pass",
            ",".join(self.passes),
            "-r",
            per_pass,
            "--first-round",
            first_round,
            "--seed",
            seed,
            "--baseline",
            labels[0],
            "--budget",
            f"{max(1, round(budget))}s",
            "-o",
            part,
            *(["--pressure", PRESSURE] if "pressure" in self.passes else []),
            *(["--quick"] if self.quick else []),
            *(["--timeout", f"{self.timeout}s"] if self.timeout else []),
            *(word for one in sets for word in ("--set", one)),
            *self.command,
        )
        return part, time.monotonic() - began

    def objectives(self, parts):
        """{label: {"tunables", "environment", "failed_trials", "failure", "objectives"}} over these parts together."""
        if len(parts) == 1:
            return json.loads(self.call("show", parts[0], "--format", "objectives"))
        joined = self.parts / "joined.json"
        joined.unlink(missing_ok=True)
        self.call("merge", "--no-tables", *parts, "-o", joined)
        return json.loads(self.call("show", joined, "--format", "objectives"))

    def library(self, part, label):
        """The allocator's entry of a results file: library, version, build id."""
        return json.loads(Path(part).read_text(encoding="utf-8"))["allocators"][label]

    def slowest_trial(self, part):
        """Seconds of the longest trial of a part that ended well."""
        records = json.loads(Path(part).read_text(encoding="utf-8"))["records"]
        return max((r["wall_seconds"] for r in records if r["outcome"] == "ok"), default=0)

    def keep_apart(self, part, name):
        """The trials of a check become check.json, for instance, without their tables, and are no part of results.json."""
        check = self.folder / f"{name}.json"
        for older in (check, compressed_beside(check)):
            older.unlink(missing_ok=True)
        self.call("merge", "--no-tables", part, "-o", check)
        part.unlink()

    def drop(self, name):
        """Throws a part away, where it was written."""
        (self.parts / f"{name}.json").unlink(missing_ok=True)
        if self.parts.is_dir() and not any(self.parts.iterdir()):
            self.parts.rmdir()

    def collect(self):
        """Joins all parts, and what an earlier session left, into results.json; the parts are then gone."""
        results = self.folder / "results.json"
        if compressed_beside(results).exists():  # a committed study
            results = compressed_beside(results)
        parts = sorted(p for p in self.parts.glob("*.json") if p.name != "joined.json") if self.parts.is_dir() else []
        if parts:
            joined = self.folder / f".{os.getpid()}-{results.name}"
            joined.unlink(missing_ok=True)
            self.call("merge", "--no-tables", *([results] if results.exists() else []), *parts, "-o", joined)
            joined.replace(results)
        if self.parts.is_dir():
            for left in self.parts.iterdir():
                left.unlink()
            self.parts.rmdir()
        return results if results.exists() else None
