"""Runs heapmark and reads what it worked out; keeps CPUs busy beside it where that is asked for."""
import contextlib
import csv
import io
import json
import math
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "plots"), str(Path(__file__).resolve().parents[1])]
import compressed  # noqa: E402
import program_works  # noqa: E402

SOME_TRIAL_FAILED = 3


class Bench:
    def __init__(self, build, folder):
        self.program = build / "heapmark"
        self.slower = build / "libheapmark-slower.so"
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def run(self, name, *arguments, slice_ms=None):
        """Runs `heapmark run` into NAME.json, which must not be there, and returns (path, seconds)."""
        path = self.folder / f"{name}.json"
        environment = dict(os.environ)
        if slice_ms is not None:
            environment["HEAPMARK_SLICE_MS"] = str(slice_ms)
        began = time.monotonic()
        command = [self.program, "run", "-o", path, *map(str, arguments)]
        ended = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
        if ended.returncode not in (0, SOME_TRIAL_FAILED):
            sys.exit(f"method: {' '.join(map(str, command))} ended with {ended.returncode}")
        return path, time.monotonic() - began

    def rows(self, path, margin=None):
        """The rows that `heapmark show --format csv` prints; `margin`: ratios within it are called equal."""
        margin = [] if margin is None else ["--margin", f"{margin * 100:g}%"]
        shown = subprocess.run([self.program, "show", path, "--format", "csv", *margin], stdout=subprocess.PIPE, text=True,
                               check=True)
        return list(csv.DictReader(io.StringIO(shown.stdout)))

    def rows_of(self, results):
        """The same of a results file's content that is not on disk."""
        path = self.folder / ".part.json"
        path.write_text(json.dumps(results), encoding="utf-8")
        try:
            return self.rows(path)
        finally:
            path.unlink()

    def slowed(self, steps):
        """A copy of the library that slows each call by `steps`, which it reads from its own name."""
        path = self.folder / f"slower-{steps:.4f}.so"
        shutil.copyfile(self.slower, path)
        return path

    @staticmethod
    def load(loops):
        """A context in which that many busy loops run beside."""
        return busy(loops)

    def can_measure(self, command):
        """Whether a command of the check "commands" is installed."""
        return program_works.installed(command)


class Kept(Bench):
    """Measures nothing: has the results files that an earlier run left, plain or made small by scripts/keep."""

    def __init__(self, build, folder, seconds):
        if not folder.is_dir():
            sys.exit(f"method: {folder} is not there: measure without --again")
        super().__init__(build, folder)
        self.seconds = seconds  # that the earlier runs took, by name

    def run(self, name, *arguments, slice_ms=None):
        for path in (self.folder / f"{name}.json", self.folder / f"{name}.json.zst"):
            if path.exists():
                return path, self.seconds.get(name, math.nan)
        sys.exit(f"method: {self.folder / name}.json is not there, nor .json.zst: measure without --again")

    def can_measure(self, command):
        return any(self.folder.glob(f"commands-{command}-rounds.json*"))

    def slowed(self, steps):
        return self.folder / f"slower-{steps:.4f}.so"

    @staticmethod
    def load(loops):
        return contextlib.nullcontext()


def content_of(path):
    """What a results file holds."""
    return json.loads(compressed.read_text(path))


@contextlib.contextmanager
def busy(loops):
    """`loops` processes that do nothing but use a CPU each."""
    children = [subprocess.Popen(["/bin/sh", "-c", "while :; do :; done"]) for _ in range(loops)]
    try:
        yield
    finally:
        for child in children:
            child.kill()
            child.wait()


def write_csv(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, fieldnames=list(rows[0]) if rows else ["nothing_measured"])
        writer.writeheader()
        writer.writerows(rows)
    print(f"{path}: {len(rows)} rows")
