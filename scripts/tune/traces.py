"""Recorded traces as the work of a study: `-w trace:FILE`, searched on their first part and checked on the rest, or on
other traces (--check-on).

Owns: which words name traces, which part is searched, how a trace is told from another. Knows nothing of searching.
"""
import struct
from pathlib import Path

PREFIX = "trace:"
SEARCHED_SHARE = 0.6  # of a trace's segments; the rest begins with what is live there


class BadTrace(Exception):
    """The message is for the user."""


def is_trace(word):
    return word.startswith(PREFIX)


def with_whole_path(word):
    return PREFIX + str(Path(word.removeprefix(PREFIX)).resolve())


def identity(word):
    """The checksum of a trace's header, in hexadecimal: its last eight bytes (docs/trace-format.md)."""
    path = Path(word.removeprefix(PREFIX))
    try:
        start = path.open("rb").read(4096)
    except OSError as error:
        raise BadTrace(f"{path}: {error.strerror}") from error
    if start[:8] != b"HMTRACE\0" or len(start) < 24:
        raise BadTrace(f"{path}: the file is no heapmark trace")
    length = struct.unpack_from("<I", start, 16)[0]
    if not 24 <= length <= len(start):
        raise BadTrace(f"{path}: the file is truncated or damaged")
    return f"{struct.unpack_from('<Q', start, length - 8)[0]:016x}"


class Traces:
    """.words as -w takes them, by whole paths; .check_on the same, empty where the rest of each trace is the check."""

    def __init__(self, words, check_on):
        self.words = [with_whole_path(w) for w in words if is_trace(w)]
        self.check_on = [with_whole_path(w) for w in check_on]
        for word in check_on:
            if not is_trace(word):
                raise BadTrace(f"--check-on takes traces, trace:FILE, not '{word}'")
        if self.check_on and not self.words:
            raise BadTrace("--check-on is for a study of traces: -w trace:FILE")
        same = {identity(w) for w in self.words} & {identity(w) for w in self.check_on}
        if same:
            raise BadTrace("--check-on: a trace that is searched on cannot be the check: leave --check-on out to check on its "
                           "rest")

    def __bool__(self):
        return bool(self.words)

    @property
    def identities(self):
        return [identity(w) for w in self.words]

    @property
    def searched_sets(self):
        return [] if self.check_on or not self.words else [f"to={SEARCHED_SHARE}"]

    @property
    def checked_sets(self):
        return [] if self.check_on or not self.words else [f"from={SEARCHED_SHARE}"]

    @property
    def checked(self):
        return self.check_on or self.words

    @property
    def where(self):
        """Of a check, in words; '' where no trace takes part."""
        if not self.words:
            return ""
        if self.check_on:
            return "on traces that the search did not see" if len(self.check_on) > 1 else "on another trace"
        return f"on the last {1 - SEARCHED_SHARE:.0%} of the trace{'s' if len(self.words) > 1 else ''}, which the search did not see"
