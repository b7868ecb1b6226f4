"""`heapmark tune` as users run it: a search on a tiny budget, going on, bad input, interruption, a shared database.

No test looks at how fast anything was. HEAPMARK_PROGRAM names the program.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import postgres  # noqa: E402
import study as studies  # noqa: E402

PROGRAM = os.environ.get("HEAPMARK_PROGRAM", "heapmark")
SMALL = ["-w", "tutorial", "--quick"]
LIMIT_SECONDS = 300  # ten times what each of these runs takes on an idle machine: a limit, never a wait


def wait_for_first_candidate(child):
    """Reads what the search says until its first candidate is measured, however long that takes the machine."""
    for line in child.stderr:
        if "candidates:" in line:
            return
    raise AssertionError(f"the search ended before its first candidate, with {child.wait()}")


class Tune(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def command(self, *arguments, out="out"):
        return [PROGRAM, "tune", "--out", str(self.folder / out), *arguments]

    def tune(self, *arguments, out="out", timeout=LIMIT_SECONDS, **environment):
        return subprocess.run(
            self.command(*arguments, out=out),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env={**os.environ, **environment},
        )

    def report(self, out="out"):
        return json.loads((self.folder / out / "tune.json").read_text())

    def records(self, out="out"):
        return json.loads((self.folder / out / "results.json").read_text())["records"]

    def test_a_trace_is_searched_checked_on_its_rest_and_confirmed_by_the_command(self):
        program = ["/usr/bin/python3", "-S", "-c", "b = [bytes(3000 + i) + b'x' for i in range(3000)]; print(len(b))"]
        trace = str(self.folder / "app.hmtrace")
        subprocess.run([PROGRAM, "record", "-o", trace, "--", *program], check=True, capture_output=True, timeout=LIMIT_SECONDS)
        refused = self.tune("-a", "glibc", "-w", f"trace:{trace}", "--confirm")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("--confirm needs what was recorded", refused.stderr)
        done = self.tune(
            *("-a", "glibc", "-w", f"trace:{trace}", "--tunables", "top_pad", "--prefer", "speed", "--budget", "60s"),
            *("--confirm", "--", *program),
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        report = self.report()
        self.assertEqual(report["workloads"], [f"trace:{Path(trace).resolve()}"])
        self.assertTrue(all(dict(r["parameters"])["to"] == "0.6" for r in self.records()))
        # What is found is up to the machine; what follows from a find is not.
        if report["recommendation"]["number"] is not None:
            self.assertIn("the search did not see", report["check"]["words"])
            self.assertIn("/usr/bin/python3", report["confirmation"]["command"])
        other = self.folder / "other.hmtrace"
        subprocess.run([PROGRAM, "record", "-o", other, "--", *program], check=True, capture_output=True, timeout=LIMIT_SECONDS)
        other.replace(trace)
        again = self.tune("-a", "glibc", "-w", f"trace:{trace}", "--tunables", "top_pad", "--prefer", "speed", "--budget", "60s")
        self.assertEqual(again.returncode, 2)
        self.assertIn("of the traces", again.stderr)

    def test_a_command_is_searched_and_confirmed_on_itself(self):
        grow = "import time; b = [bytes(100000) + b'x' for _ in range(100)]; time.sleep(0.05); print(len(b))"
        done = self.tune("-a", "brkmmap", "--tunables", "top_pad", "--budget", "40s", "--", "/usr/bin/python3", "-S", "-c", grow)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual({(r["workload"], r["variant"]) for r in self.records()}, {("python3", "command")})
        self.assertEqual(self.report()["workloads"], ["python3/command"])
        wrong = self.tune("-a", "brkmmap", "--objective", "failed", "--", "true")
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("a command has no limit pass", wrong.stderr)

    def test_a_search_leaves_a_study_results_a_report_and_a_plot_and_goes_on(self):
        done = self.tune("-a", "brkmmap", *SMALL, "--budget", "20s")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Pareto front", done.stdout)
        self.assertIn("noise of this machine", done.stdout)
        first = self.report()
        measured = [c for c in first["candidates"] if c["state"] == "measured"]
        self.assertTrue(measured)
        for candidate in measured:
            self.assertLessEqual(candidate["ratios"]["time"]["low"], candidate["ratios"]["time"]["median"])
        settings = [tuple(sorted(c["tunables"].items())) for c in first["candidates"]]
        self.assertEqual(len(settings), len(set(settings)), "nothing is measured twice")
        trials = self.records()
        self.assertTrue(all(r["host"] for r in trials))
        labels = {r["allocator"] for r in trials}
        self.assertTrue({"brkmmap", "brkmmap#2"} <= labels)
        self.assertTrue((self.folder / "out/plots/pareto.png").exists(), done.stdout)
        self.assertFalse(list((self.folder / "out").glob("parts-*")))

        again = self.tune("-a", "brkmmap", *SMALL, "--budget", "20s")
        self.assertEqual(again.returncode, 0, again.stderr)
        second = self.report()
        self.assertEqual(
            second["candidates"][: len(first["candidates"])],
            [{**c, "on_front": s["on_front"]} for c, s in zip(first["candidates"], second["candidates"])],
        )
        self.assertGreater(len(self.records()), len(trials))

        told = self.tune("-a", "brkmmap", *SMALL, "--report")
        self.assertEqual(told.returncode, 0, told.stderr)
        self.assertEqual(self.report(), second)

        other = self.tune("-a", "glibc", *SMALL, "--budget", "10s")
        self.assertEqual(other.returncode, 2)
        self.assertIn("holds a study of brkmmap, not of glibc", other.stderr)
        changed = self.tune("-a", "brkmmap", "-w", "threads", "--quick", "--budget", "10s")
        self.assertEqual(changed.returncode, 2)
        self.assertIn("holds a study on the workloads", changed.stderr)

        kept = studies.Study(f"sqlite:///{self.folder}/out/study.db", "heapmark-brkmmap", "brkmmap")
        kept.open(["time", "rss"])
        kept.correct(library="another build")
        newer = self.tune("-a", "brkmmap", *SMALL, "--budget", "10s")
        self.assertEqual(newer.returncode, 2, newer.stderr)
        self.assertIn("holds a study with the library another build", newer.stderr)

    def test_a_candidate_that_fails_is_recorded_told_and_kept_off_the_front(self):
        # tcmalloc's heap limit refuses what the workload needs.
        # How many candidates a budget has room for depends on the machine: the study goes on until one has failed.
        failed = []
        for _ in range(10):
            done = self.tune(
                "-a", "tcmalloc", "-w", "breathe/wide", "--tunables", "heap_limit_mb", "--quick", "--budget", "20s"
            )
            if "not installed" in done.stderr or "cannot be measured" in done.stderr:
                self.skipTest("tcmalloc is not installed")
            self.assertEqual(done.returncode, 0, done.stderr)
            failed = [c for c in self.report()["candidates"] if c["state"] == "failed"]
            if failed:
                break
        self.assertTrue(failed)
        self.assertFalse(any(c["on_front"] for c in failed))
        self.assertIn("✗ failed: heap_limit_mb", done.stdout)
        self.assertTrue(any(r["outcome"] != "ok" for r in self.records()))

    def test_bad_input_is_told_with_what_to_do(self):
        for arguments, expected in (
            (["-a", "glibbc"], 'did you mean "glibc"'),
            (["-a", "floor"], "no tunables"),
            (["-a", "glibc", "--tunables", "trim_treshold"], 'did you mean "trim_threshold"'),
            (["-a", "glibc", "-w", "chrun"], "churn"),
            (["-a", "glibc", "--objective", "speed"], "known: time"),
            (["-a", "glibc", "--budget", "10x"], "10m"),
            (["-a", "glibc", "--bugdet", "10m"], "did you mean --budget"),
            (["-a", "glibc", "--objective", "failed", "-w", "churn"], "limit pass"),
            (["-a", "glibc", "--prefer", "memory", "--objective", "time"], "needs the objective rss"),
            (["-a", "glibc", "--report"], "nothing to report on"),
            ([], "-a"),
        ):
            done = self.tune(*arguments)
            self.assertEqual(done.returncode, 2, (arguments, done.stderr))
            self.assertIn(expected, done.stderr)
        short = self.tune("-a", "glibc", "-w", "churn,breathe", "--budget", "1s")
        self.assertEqual(short.returncode, 1, short.stderr)
        self.assertIn("give --budget", short.stderr)

    def test_ctrl_c_reports_what_is_done(self):
        child = subprocess.Popen(
            self.command("-a", "glibc", *SMALL, "--budget", f"{LIMIT_SECONDS}s"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        wait_for_first_candidate(child)
        os.killpg(child.pid, signal.SIGINT)
        out, err = child.communicate(timeout=LIMIT_SECONDS)
        self.assertEqual(child.returncode, 130, err)
        self.assertIn("Go on with the same command", out)
        self.assertTrue(self.report()["candidates"])
        self.assertTrue(self.records())


class SharedDatabase(Tune):
    def test_two_workers_search_on_one_postgresql(self):
        with postgres.Postgres() as server:
            workers = [
                subprocess.Popen(
                    self.command("-a", "brkmmap", *SMALL, "--budget", "30s", "--storage", server.url, out=out),
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
                for out in ("one", "two")
            ]
            ended = [(w.communicate(timeout=LIMIT_SECONDS), w.returncode) for w in workers]
            for (out, err), code in ended:
                self.assertEqual(code, 0, err)
                self.assertIn("Pareto front", out)
            shared = studies.Study(server.url, "heapmark-brkmmap", "brkmmap")
            shared.open(["time", "rss"])
            candidates = shared.candidates()
        labels = [{r["allocator"] for r in self.records(out) if r["round"] < 80_000_000} for out in ("one", "two")]
        # Each worker measured candidates, none both, and what the database holds is what the two measured.
        mine = [{l for l in found if "[" in l} for found in labels]
        self.assertTrue(mine[0] and mine[1])
        told = {tuple(sorted(c.tunables.items())) for c in candidates}
        measured = {
            tuple(sorted(tuple(pair.split("=")) for pair in label[len("brkmmap[") : -1].split(",")))
            for label in mine[0] | mine[1]
        }
        self.assertTrue(measured >= told)
        numbers = [c.number for c in candidates]
        self.assertEqual(len(numbers), len(set(numbers)))
        merged = subprocess.run(
            [
                PROGRAM,
                "merge",
                str(self.folder / "one/results.json"),
                str(self.folder / "two/results.json"),
                "-o",
                str(self.folder / "all.json"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(merged.returncode, 0, merged.stderr)
        self.assertEqual(
            len(json.loads((self.folder / "all.json").read_text())["records"]),
            len(self.records("one")) + len(self.records("two")),
        )

    def test_a_database_that_goes_away_loses_no_trial(self):
        with postgres.Postgres() as server:
            child = subprocess.Popen(
                self.command("-a", "brkmmap", *SMALL, "--budget", f"{LIMIT_SECONDS}s", "--storage", server.url),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            wait_for_first_candidate(child)
            server.stop()
            out, err = child.communicate(timeout=LIMIT_SECONDS)
        self.assertEqual(child.returncode, 1, out)
        self.assertIn("is gone", err)
        self.assertIn("go on with the same command", err)
        self.assertTrue(self.records())


for inherited in [name for name in dir(Tune) if name.startswith("test_")]:
    setattr(SharedDatabase, inherited, None)  # only its own tests run there

if __name__ == "__main__":
    unittest.main()
