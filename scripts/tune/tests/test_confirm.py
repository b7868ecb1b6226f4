"""`heapmark tune --confirm --serve`: a server beside a study of traces, with the test server of harness/trial.

What a search finds is up to the machine: the find is given here, and measured as the study would have it. No test looks
at how fast anything was. HEAPMARK_PROGRAM, HEAPMARK_SERVER and HEAPMARK_CLIENT name the programs.
"""
import argparse
import os
import socket
import subprocess
import sys
import tempfile
import types
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import confirm  # noqa: E402
import judge  # noqa: E402
import measure  # noqa: E402
import report  # noqa: E402
import search  # noqa: E402
import space  # noqa: E402
import study as studies  # noqa: E402
import work  # noqa: E402

PROGRAM, SERVER, CLIENT = (os.environ.get(f"HEAPMARK_{name}", "") for name in ("PROGRAM", "SERVER", "CLIENT"))
LINES = 100
LIMIT_SECONDS = 300  # far more than any of it takes: a limit, never a wait
OBJECTIVES = ["time", "rss"]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def server_flags(mode="leak"):
    port = free_port()
    return [
        *("--serve", f"{SERVER} {port} {mode}", "--ready", f"{CLIENT} {port} 0", "--load", f"{CLIENT} {port} {LINES}"),
        *("--settle", "0s"),
    ]


class Servers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def asked(self, flags):
        parser = argparse.ArgumentParser()
        work.add_flags(parser)
        allocator = space.load(HERE.parents[2] / "allocators/catalog", "glibc")
        return types.SimpleNamespace(
            program=PROGRAM, folder=self.folder, objectives=OBJECTIVES, allocator=allocator, seed=1, budget=LIMIT_SECONDS,
            confirm=work.Work(parser.parse_args(flags), []),
        )

    def test_the_server_is_measured_with_the_defaults_twice_and_with_the_find(self):
        asked, said = self.asked(server_flags()), []
        study = studies.Study(f"sqlite:///{self.folder}/study.db", "heapmark-glibc", "glibc")
        study.open(OBJECTIVES)
        bench = measure.Bench(PROGRAM, self.folder, OBJECTIVES, False)
        searching = search.Search(bench, study, asked.allocator, asked.allocator.space(None), asked, said.append)
        confirm.try_once(asked, said.append)
        self.assertFalse(list(self.folder.glob("parts-*")), "what was only tried is kept nowhere")
        # So much at the top is written to by nobody: what the server holds stays as it is.
        confirm.confirm(asked, searching, judge.Candidate(4, {"top_pad": "1M"}, {}), said.append)
        self.assertIn("trying the real server once", said[0])
        found = study.facts["confirmation"]
        self.assertEqual((found["kind"], found["failure"]), ("server", ""))
        self.assertEqual({name: found["ratios"][name]["rounds"] for name in OBJECTIVES}, {"time": 6, "rss": 6})
        told = report.confirmation(
            found,
            {"number": 4, "ratios": {"rss": {"median": 1.0, "low": 0.99, "high": 1.01}}},
            {"rss": judge.Noise(0.0, 0.0)},
            ["rss"],
        )
        self.assertIn(f"The real server, {SERVER} ", told["words"])
        self.assertIn(f"leak under {CLIENT} ", told["words"])
        self.assertIs(told["agrees"], True, told["words"])
        self.assertTrue((self.folder / "confirm.json").exists())

    def test_a_server_that_fails_with_the_defaults_is_told_of_before_the_search(self):
        with self.assertRaises(confirm.CannotConfirm) as failed:
            confirm.try_once(self.asked(server_flags("die")), lambda _: None)
        self.assertIn("the real server fails with the defaults already", str(failed.exception))

    def test_flags_that_do_not_fit_are_refused_before_the_search(self):
        trace = str(self.folder / "true.hmtrace")
        subprocess.run(
            [PROGRAM, "record", "-o", trace, "--", "/usr/bin/python3", "-S", "-c", "pass"],
            check=True, capture_output=True, timeout=LIMIT_SECONDS,
        )
        for flags, expected in (
            (server_flags()[:2], "--serve needs --ready"),
            ([*server_flags(), "--figure", "("], "is no regular expression"),
            ([*server_flags(), "--", "./app"], "nothing may follow --"),
        ):
            out = str(self.folder / "out")
            done = subprocess.run(
                [PROGRAM, "tune", "-a", "glibc", "-w", f"trace:{trace}", "--out", out, "--budget", "60s", "--confirm", *flags],
                capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS,
            )
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(expected, done.stderr)
            self.assertNotIn("measuring the noise", done.stderr)


if __name__ == "__main__":
    unittest.main()
