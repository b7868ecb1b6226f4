"""`heapmark tune`: searches an allocator's tunables for less time and memory, checks the find, and says what to paste.

Owns the command line, messages and exit codes: 0 done, 1 heapmark, Optuna or the database failed, 2 wrong usage,
130 interrupted by Ctrl-C, 143 by SIGTERM. heapmark starts it with HEAPMARK_PROGRAM, HEAPMARK_CATALOG and HEAPMARK_COMMAND set.
"""
import argparse
import difflib
import importlib.util
import json
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import apply  # noqa: E402
import measure  # noqa: E402
import report  # noqa: E402
import space  # noqa: E402
import traces  # noqa: E402
import work  # noqa: E402

SEARCHED = ["churn/mixed-1t", "churn/mixed-4t", "breathe/wide"]
FOR_FAILED = ["large_block/as"]
NOT_FOR_CHECK = ["tutorial"]  # a demonstration of a few calls, no load
QUICK_UP_TO = 600  # seconds of budget
HELD_OUT_SEED = 1_000_003


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
        help=f"workloads to search on, separated by commas ({','.join(SEARCHED)}); trace:FILE is a recorded program, "
        "searched on its first part and checked on the rest",
    )
    parser.add_argument(
        "--check-on", help="traces to check on, trace:FILE, separated by commas; those of -w are then searched whole"
    )
    parser.add_argument(
        "--confirm",
        action="store_true",
        help="after a study of traces, run the real command, which stands after --, with the defaults and with the find",
    )
    parser.add_argument("--objective", default="time,rss", help="of time, rss, faults, failed, p999, pressure_time (default: %(default)s)")
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


def seconds(text):
    units = {"s": 1, "m": 60, "h": 3600}
    number, unit = (text[:-1], text[-1]) if text[-1:] in units else (text, "s")
    try:
        value = float(number) * units[unit]
    except ValueError:
        value = 0
    if not value > 0:
        raise space.BadSpace(f"--budget takes a time like 90s, 10m or 1h, not '{text}'")
    return value


def known_workloads(program, group="standard"):
    """Every workload variant of a group with its passes, as the measuring program tells them."""
    told = subprocess.run(
        [str(Path(program).parent / "heapmark-host"), "describe"], capture_output=True, text=True, check=True
    )
    return {
        f"{w['name']}/{v['name']}": v["passes"]
        for w in json.loads(told.stdout)["workloads"]
        for v in w["variants"]
        if w["group"] == group
    }


def chosen_workloads(asked, known, objectives):
    """The variants to search on; a workload's name alone means all its variants that can be compared."""
    names = asked.split(",") if asked else SEARCHED + (FOR_FAILED if "failed" in objectives else [])
    found = []
    for name in names:
        these = [k for k in known if k == name or k.split("/")[0] == name]
        if not these:
            near = difflib.get_close_matches(name, [*known, *(k.split("/")[0] for k in known)], 1)
            raise space.BadSpace(
                f'unknown workload "{name}"{f": did you mean {near[0]}?" if near else ""} (known: {", ".join(known)})'
            )
        found += [k for k in these if k not in found]
    for objective in objectives:
        if not any(measure.PASS_OF[objective] in known[name] for name in found):
            raise space.BadSpace(
                f"--objective {objective}: none of the workloads has a {measure.PASS_OF[objective]} pass"
            )
    return found


def held_out(searched, known, objectives):
    """What the search does not see: every other workload variant, and its own ones with another seed."""
    passes = {measure.PASS_OF[o] for o in objectives}
    others = [
        k
        for k in known
        if k not in searched
        and k.split("/")[0] not in NOT_FOR_CHECK
        and "speed" in known[k]
        and passes & set(known[k])
    ]
    return others + searched


class Asked:
    """The command line, checked."""

    def __init__(self, options, environment):
        self.program = environment["HEAPMARK_PROGRAM"]
        self.command = environment.get("HEAPMARK_COMMAND", "heapmark tune")
        self.allocator = space.load(environment["HEAPMARK_CATALOG"], options.allocator)
        self.objectives = options.objective.split(",")
        for name in self.objectives:
            if name not in measure.PASS_OF:
                raise space.BadSpace(f'unknown objective "{name}" (known: {", ".join(measure.PASS_OF)})')
        wanted = {"speed": "time", "memory": "rss"}.get(options.prefer)
        if wanted and wanted not in self.objectives:
            raise space.BadSpace(f"--prefer {options.prefer} needs the objective {wanted}")
        self.space = self.allocator.space(options.tunables.split(",") if options.tunables else None)
        self.budget = seconds(options.budget)
        self.quick = options.quick or self.budget <= QUICK_UP_TO
        self.work = work.Work(options, options.words)
        names = options.workloads.split(",") if options.workloads else []
        self.traces = traces.Traces(names, options.check_on.split(",") if options.check_on else [])
        self.confirm = None
        if options.confirm:
            self.choose_confirm(options)
        if self.traces:
            if self.work.is_given:
                raise space.BadSpace("-w names traces, and a command is given too: --confirm runs it once the find is checked")
            self.choose_traces([name for name in names if not traces.is_trace(name)])
        elif self.work.is_given:
            self.choose_command(options)
        else:
            self.known = known_workloads(self.program)
            self.workloads = chosen_workloads(options.workloads, self.known, self.objectives)
            self.held_out = held_out(self.workloads, self.known, self.objectives)
        self.seed, self.prefer = options.seed, options.prefer
        self.folder = Path(options.out or f"heapmark-tune-{self.allocator.name}")
        self.url = options.storage or f"sqlite:///{self.folder}/study.db"
        self.shared = options.storage is not None
        self.report_only = options.report or options.apply

    def choose_confirm(self, options):
        if not self.traces:
            raise space.BadSpace("--confirm is for a study of traces: -w trace:FILE")
        if not self.work.is_given:
            raise space.BadSpace("--confirm needs the command that was recorded: --confirm -- ./app ARGUMENTS...")
        self.confirm, self.work = self.work, work.Work(work.without(options), [])

    def choose_traces(self, others):
        """Traces, and built-in workloads beside them, which are checked with another seed."""
        passes = next(iter(known_workloads(self.program, "trace").values()))
        self.known = known_workloads(self.program)
        others = chosen_workloads(",".join(others), self.known, []) if others else []
        self.known.update({word: passes for word in self.traces.words})
        for objective in self.objectives:
            if measure.PASS_OF[objective] not in passes:
                raise space.BadSpace(f"--objective {objective}: a replay has no {measure.PASS_OF[objective]} pass")
        self.workloads, self.held_out = self.traces.words + others, self.traces.checked + others

    def choose_command(self, options):
        """A command is searched on itself, and confirmed by itself in rounds that the search did not see."""
        if options.workloads:
            raise space.BadSpace("-w names built-in workloads, and a command is the work: leave one of them out")
        for objective in self.objectives:
            if measure.PASS_OF[objective] not in work.PASSES:
                raise space.BadSpace(f"--objective {objective}: a command has no {measure.PASS_OF[objective]} pass")
        self.quick = False
        self.known = {self.work.name: work.PASSES}
        self.workloads = self.held_out = [self.work.name]


def say(text):
    print(f"heapmark tune: {text}", file=sys.stderr, flush=True)


def version_of(program):
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()[0]


def open_study(asked):
    import study as studies

    if asked.report_only and not asked.shared and not (asked.folder / "study.db").exists():
        raise studies.BadStudy(f"{asked.folder}/study.db is not there: nothing to report on")
    asked.folder.mkdir(parents=True, exist_ok=True)
    seed = asked.seed + (os.getpid() if asked.shared else 0)  # workers of one study must not all ask for the same
    study = studies.Study(asked.url, f"heapmark-{asked.allocator.name}", asked.allocator.name, seed)
    if asked.report_only:
        if not study.exists:
            raise studies.BadStudy(f"{asked.url} holds no study of {asked.allocator.name}: nothing to report on")
        study.open(asked.objectives)
        asked.objectives = study.facts.get("objectives", asked.objectives)
        return study
    study.open(asked.objectives)
    study.note(
        heapmark_version=version_of(asked.program),
        objectives=asked.objectives,
        workloads=asked.workloads,
        quick=asked.quick,
        seed=asked.seed,
        **({"traces": asked.traces.identities} if asked.traces else {}),
    )
    if "defaults" not in study.facts:
        study.correct(defaults=asked.allocator.defaults, kernel=platform.release(), command=asked.command)
    return study


def search_and_check(asked, study, bench):
    import search as searching

    search = searching.Search(bench, study, asked.allocator, asked.space, asked, say)
    say(
        f"{asked.allocator.name}: {', '.join(asked.space)} on {', '.join(asked.workloads)}"
        f"{', quick' if asked.quick else ''}"
    )
    say("measuring the noise of this machine: the defaults against themselves")
    search.measure_noise()
    search.search()
    search.try_simpler(asked.prefer)
    choice = search.recommend(asked.prefer)
    if choice is not None:
        say(
            f"confirming {report.settings(choice.tunables)} in rounds in another order"
            if asked.work.is_given
            else f"checking {report.settings(choice.tunables)} {asked.traces.where}"
            if asked.traces
            else f"checking {report.settings(choice.tunables)} on {len(asked.held_out)} held-out workloads"
        )
        search.check(
            choice, asked.held_out, asked.seed + HELD_OUT_SEED, asked.traces.checked_sets, asked.traces.where
        )
        if asked.confirm:
            confirm(asked, search, choice)


def confirm(asked, search, choice):
    objectives = [o for o in asked.objectives if measure.PASS_OF[o] in work.PASSES]
    if not objectives:
        say("none of the objectives can be measured on a command: it is not run")
        return
    command = " ".join([*asked.confirm.flags, *asked.confirm.words])
    say(f"running {command} with the defaults and with {report.settings(choice.tunables)}")
    bench = measure.Bench(asked.program, asked.folder, objectives, False, asked.confirm.arguments)
    search.confirm(choice, bench, asked.seed, command)


def write_report(asked, study):
    told = report.make(
        study, asked.allocator, asked.objectives, asked.prefer, study.facts.get("command", asked.command)
    )
    path = asked.folder / "tune.json"
    path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(report.text(told))
    print(f"Report:  {path}")
    plotted = subprocess.run(
        [str(HERE.parent / "plot"), str(path), "--out", str(asked.folder / "plots")],
        capture_output=True,
        text=True,
        check=False,
    )
    print(f"Plot:    {asked.folder}/plots" if plotted.returncode == 0 else plotted.stderr.strip())
    return told


def apply_report(told):
    for name, before, after in (changed := apply.apply(told, HERE.parent.parent)):
        print(f"{name}: {before} -> {after}")
    if not changed:
        print("brkmmap's defaults are those of this study already")


def tune(asked, options):
    import sqlalchemy

    study = None
    bench = measure.Bench(
        asked.program,
        asked.folder,
        asked.objectives,
        asked.quick,
        asked.work.arguments,
        asked.traces.searched_sets,
    )
    interrupted = False
    try:
        study = open_study(asked)
        if not asked.report_only:
            try:
                search_and_check(asked, study, bench)
            except KeyboardInterrupt:
                interrupted = True
                say("interrupted; what was measured until then:")
            finally:
                results = bench.collect()
        told = write_report(asked, study)
        if options.apply:
            apply_report(told)
        if not asked.report_only and results:
            print(f"Results: {results}")
        if interrupted:
            print(f"Go on with the same command: {asked.command}")
        return interrupted_by() if interrupted else 0
    except (sqlalchemy.exc.SQLAlchemyError, storage_error()) as error:
        kept = asked.folder / "results.json"
        reason = str(error.__cause__ or error).splitlines()[0]
        print(
            f"heapmark: the study's database {asked.url} is gone: {reason}\n"
            f"The trials that were measured are in {kept if kept.exists() else asked.folder}; candidates that the "
            "database has are kept "
            f"there. When it is back, go on with the same command:\n  {asked.command}",
            file=sys.stderr,
        )
        return 1


def storage_error():
    from optuna.exceptions import StorageInternalError

    return StorageInternalError


TERMINATED = []  # holds SIGTERM once that has come


def on_sigterm(number, _frame):
    TERMINATED.append(number)
    raise KeyboardInterrupt


def interrupted_by():
    """As shells have it: 128 and the signal's number."""
    return 128 + (TERMINATED or [signal.SIGINT])[0]


def main(arguments):
    signal.signal(signal.SIGTERM, on_sigterm)
    options = parse(arguments)
    missing = [m for m in ("optuna", "sqlalchemy") if importlib.util.find_spec(m) is None]
    if missing:
        print(
            f"heapmark: {sys.executable} lacks {' and '.join(missing)}: install Debian's python3-optuna "
            "(scripts/setup does)",
            file=sys.stderr,
        )
        return 1
    import search
    import study

    try:
        return tune(Asked(options, os.environ), options)
    except (space.BadSpace, study.BadStudy, apply.CannotApply, traces.BadTrace) as error:
        return usage(error)
    except (measure.MeasureError, search.TooShort, OSError) as error:
        print(f"heapmark: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return interrupted_by()


def flushed(status):
    """The status, or 1 where what was printed cannot be written."""
    try:
        sys.stdout.flush()
    except OSError as error:
        print(f"heapmark: standard output cannot be written: {error.strerror}", file=sys.stderr)
        # What is buffered would be tried again at the end of the interpreter.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


if __name__ == "__main__":
    sys.exit(flushed(main(sys.argv[1:])))
