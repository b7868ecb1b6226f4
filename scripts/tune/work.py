"""A command or server of the user's as the work of a study: the flags that `heapmark run` takes for it, passed on.

Owns: which flags those are, and the names of the work. Knows nothing of searching.
"""
import argparse
import shlex
from pathlib import Path

VALUES = ["--name", "--prepare", "--cwd", "--input", "--exit-code", "--processes", "--serve", "--ready", "--load",
          "--settle", "--ready-within", "--stop", "--figure"]
REPEATED = ["--env"]
SWITCHES = ["--ignore-output", "--lockstep", "--figure-lower"]
PASSES = ["speed", "memory"]  # in which a command or server has figures to be tuned by


def add_flags(parser):
    group = parser.add_argument_group("your own program (heapmark tune ... -- COMMAND ARGS...), as for heapmark run")
    for flag in VALUES:
        group.add_argument(flag)
    for flag in REPEATED:
        group.add_argument(flag, action="append")
    for flag in SWITCHES:
        group.add_argument(flag, action="store_true")


def without(options):
    """The options as if no flag of these had been given."""
    left = argparse.Namespace(**vars(options))
    for flag in VALUES + REPEATED:
        setattr(left, flag.lstrip("-").replace("-", "_"), None)
    for flag in SWITCHES:
        setattr(left, flag.lstrip("-").replace("-", "_"), False)
    return left


class Work:
    """What `heapmark run` is told of it: .flags, then .words after "--"; .name as tables have it; .kind and .told as
    sentences have it."""

    def __init__(self, options, words):
        def value(flag):
            return getattr(options, flag.lstrip("-").replace("-", "_"))

        self.words, self.flags = list(words), []
        for flag in VALUES:
            if value(flag) is not None:
                self.flags += [f"{flag}={value(flag)}"]
        for flag in REPEATED:
            self.flags += [f"{flag}={one}" for one in value(flag) or []]
        self.flags += [flag for flag in SWITCHES if value(flag)]
        first = self.words[0] if self.words else (options.serve or "").split(" ")[0]
        self.kind = "server" if options.serve else "command"
        self.name = f"{options.name or Path(first).name}/{self.kind}"
        self.told = f"{options.serve} under {options.load}" if options.serve else shlex.join(self.words)

    @property
    def is_given(self):
        return bool(self.words or self.flags)

    @property
    def arguments(self):
        return [*self.flags, *(["--", *self.words] if self.words else [])]
