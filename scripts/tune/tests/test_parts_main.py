"""Tests of what tune's command line takes and how it ends, without measuring."""
import contextlib
import io
import signal
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import command_line  # noqa: E402
import main  # noqa: E402


class CommandLine(unittest.TestCase):
    def refused(self, *arguments):
        said = io.StringIO()
        with contextlib.redirect_stderr(said), self.assertRaises(SystemExit) as ended:
            command_line.parse(["-a", "glibc", *arguments])
        self.assertEqual(ended.exception.code, 2)
        return said.getvalue()

    def test_a_seed_is_a_whole_number_from_0_up(self):
        self.assertEqual(command_line.parse(["-a", "glibc", "--seed", "7"]).seed, 7)
        for wrong in ("--seed=-4", "--seed=1.5", "--seed=x"):
            self.assertIn("from 0 up", self.refused(wrong))

    def test_a_dash_is_no_folder(self):
        self.assertIn("--out takes a folder", self.refused("--out", "-"))

    def test_sigterm_and_ctrl_c_end_with_codes_of_their_own(self):
        self.assertEqual(main.interrupted_by(), 128 + signal.SIGINT)
        with self.assertRaises(KeyboardInterrupt):
            main.on_sigterm(signal.SIGTERM, None)
        self.addCleanup(main.TERMINATED.clear)
        self.assertEqual(main.interrupted_by(), 128 + signal.SIGTERM)


if __name__ == "__main__":
    unittest.main()
