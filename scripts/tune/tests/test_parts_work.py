"""A command of the user's as the work of a study: what is passed on to `heapmark run`."""
import argparse
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import command_line  # noqa: E402
import work  # noqa: E402


def work_of(arguments, words=()):
    parser = argparse.ArgumentParser()
    work.add_flags(parser)
    return work.Work(parser.parse_args(arguments), words)


class Works(unittest.TestCase):
    def test_without_a_command_there_is_none(self):
        self.assertFalse(work_of([]).is_given)
        self.assertEqual(work_of([]).arguments, [])

    def test_a_command_comes_last_after_its_flags(self):
        made = work_of(["--env", "A=1", "--env", "B=2", "--ignore-output", "--cwd", "/tmp"], ["./app", "--fast"])
        self.assertEqual(
            made.arguments, ["--cwd=/tmp", "--env=A=1", "--env=B=2", "--ignore-output", "--", "./app", "--fast"]
        )
        self.assertEqual(made.name, "app/command")

    def test_a_server_has_no_words_and_its_own_variant(self):
        made = work_of(["--serve", "/usr/bin/server --port 7", "--ready", "true", "--load", "run it"])
        self.assertEqual(made.arguments, ["--serve=/usr/bin/server --port 7", "--ready=true", "--load=run it"])
        self.assertEqual(made.name, "server/server")
        self.assertEqual(work_of(["--name", "it"], ["./app"]).name, "it/command")

    def test_sentences_name_it_so_that_it_can_be_typed_again(self):
        command = work_of(["--ignore-output"], ["./app", "a b"])
        self.assertEqual((command.kind, command.told), ("command", "./app 'a b'"))
        server = work_of(["--serve", "./server --port 7", "--ready", "true", "--load", "./bench -n 9"])
        self.assertEqual((server.kind, server.told), ("server", "./server --port 7 under ./bench -n 9"))

    def test_what_follows_two_dashes_is_not_ours_to_read(self):
        options = command_line.parse(["-a", "glibc", "--", "./app", "-a", "--budget"])
        self.assertEqual((options.allocator, options.words), ("glibc", ["./app", "-a", "--budget"]))


if __name__ == "__main__":
    unittest.main()
