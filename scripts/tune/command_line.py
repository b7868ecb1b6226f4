"""The words of `heapmark tune`: its flags, their help, and what is refused at sight.

Owns: what can be said of the command line without looking at anything else. What it means for the catalog, the
workloads and the traces is asked.py's.
"""
import argparse
import difflib
import sys

import measure
import work
import workloads


class Parser(argparse.ArgumentParser):
    def error(self, message):
        unknown = (
            message.removeprefix("unrecognized arguments: ").split()[0] if message.startswith("unrecognized") else ""
        )
        near = difflib.get_close_matches(unknown, self._option_string_actions, 1)
        raise SystemExit(
            usage(f"{message}{f' (did you mean {near[0]}?)' if near else ''}\nSee heapmark tune --help.")
        )


def usage(message):
    print(f"heapmark: {message}", file=sys.stderr)
    return 2


def parse(arguments):
    """The options, and the words of a command that stand after "--"."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    arguments, words = arguments[:end], arguments[end + 1 :]
    parser = Parser(
        prog="heapmark tune",
        description="Searches an allocator's tunables for less time and memory, side by "
        "side with its defaults; checks what it finds on workloads it never saw.",
        epilog="The study is kept in DIR/study.db: the same command again goes on with it.",
    )
    parser.add_argument(
        "-a", "--allocator", required=True, help="one allocator of the catalog (heapmark list allocators)"
    )
    parser.add_argument(
        "-w",
        "--workloads",
        help=f"workloads to search on, separated by commas ({','.join(workloads.SEARCHED)}); trace:FILE is a recorded program, "
        "searched on its first part and checked on the rest",
    )
    parser.add_argument(
        "--check-on", help="traces to check on, trace:FILE, separated by commas; those of -w are then searched whole"
    )
    parser.add_argument(
        "--confirm",
        action="store_true",
        help="after a study of traces, run the real work with the defaults and with the find: the command that stands "
        "after --, or the server of --serve, --ready and --load; it is tried once before the search",
    )
    parser.add_argument("--objective", default="time,rss", help=f"of {', '.join(measure.PASS_OF)} (default: %(default)s)")
    parser.add_argument("--budget", default="15m", help="how long all may take (default: %(default)s)")
    parser.add_argument(
        "--prefer",
        default="balanced",
        choices=["speed", "memory", "balanced"],
        help="what to recommend of the front: least time, least RSS, or its knee (default: %(default)s)",
    )
    parser.add_argument(
        "--tunables", help="which to search, separated by commas (those the catalog gives a search range)"
    )
    parser.add_argument("-o", "--out", help="folder for the study, results and plots (default: heapmark-tune-NAME)")
    parser.add_argument(
        "--storage", help="a database for many workers, postgresql+psycopg2://USER@HOST/NAME (default: DIR/study.db)"
    )
    parser.add_argument("--seed", type=seed_number, default=1, help="of the workloads and the search (default: %(default)s)")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="smaller workloads, as in heapmark run; taken by itself up to --budget 10m",
    )
    parser.add_argument("--report", action="store_true", help="measure nothing: report on the study as it is")
    parser.add_argument(
        "--apply",
        action="store_true",
        help="measure nothing: make the study's find brkmmap's defaults, in the source",
    )
    work.add_flags(parser)
    options = parser.parse_args(arguments)
    options.words = words
    if options.out in ("", "-"):
        parser.error(f"--out takes a folder for the study and its results, not '{options.out}'")
    return options


def seed_number(text):
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"takes a whole number from 0 up, not '{text}'")
    return int(text)
