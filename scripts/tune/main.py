"""`heapmark tune`: searches an allocator's tunables for less time and memory, checks the find, and says what to paste.

Owns the order of what is done, messages and exit codes: 0 done, 1 heapmark, Optuna or the database failed, 2 wrong usage,
130 interrupted by Ctrl-C, 143 by SIGTERM. heapmark starts it with HEAPMARK_PROGRAM, HEAPMARK_CATALOG and HEAPMARK_COMMAND set.
"""
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
import asked as asking  # noqa: E402
import command_line  # noqa: E402
import confirm  # noqa: E402
import measure  # noqa: E402
import report  # noqa: E402
import space  # noqa: E402
import traces  # noqa: E402

HELD_OUT_SEED = 1_000_003


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

    if asked.confirm:
        confirm.try_once(asked, say)
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
            confirm.confirm(asked, search, choice, say)


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
    options = command_line.parse(arguments)
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
        return tune(asking.Asked(options, os.environ), options)
    except (space.BadSpace, study.BadStudy, apply.CannotApply, traces.BadTrace, measure.WrongUsage) as error:
        return command_line.usage(error)
    except (measure.MeasureError, confirm.CannotConfirm, search.TooShort, OSError) as error:
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
