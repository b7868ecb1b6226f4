"""The entry of scripts/plot: reads the results, asks each plot for its figures and saves them.

Decides exit codes and messages, nothing of what is drawn. A plot is a module with NAME and draw(results), which yields
(file name, figure) or raises Absent; a new one is one more name in PLOTS. One that has a short form takes `overview` too.
"""
import argparse
import concurrent.futures
import importlib
import importlib.util
import inspect
import multiprocessing
import os
import sys
from pathlib import Path

PLOTS = ["rss_live", "time_memory", "time_peak_map", "heatmap", "largest_block", "latency", "pressure", "tutorial_steps",
         "sweep_curves", "sweep_map"]
TUNING_PLOTS = ["pareto"]
COMMAND_PLOTS = ["rss_time", "time_memory", "heatmap"]
TRACE_PLOTS = ["trace_time", "trace_blocks"]
SWEEP_PLOTS = ["sweep_curves", "sweep_map"]


def plots_for(results):
    """A tuning report has its own; of a sweep the comparisons of many allocators would be unreadable."""
    if isinstance(results, dict):
        return TUNING_PLOTS
    import results as results_file
    if isinstance(results, results_file.TraceFacts):
        return TRACE_PLOTS
    import sweeps
    try:
        sweeps.Sweep(results)
    except results_file.NotApplicable:
        return COMMAND_PLOTS if "command" in results.plan else PLOTS
    return SWEEP_PLOTS


def main(arguments=None):
    every = list(dict.fromkeys(PLOTS + COMMAND_PLOTS + TUNING_PLOTS + TRACE_PLOTS))
    parser = argparse.ArgumentParser(prog="plot", description="Draws the plots of a heapmark results file.")
    parser.add_argument("results", help="results.json or results.json.zst of `heapmark run`, or what `heapmark trace --format json` "
                        "prints")
    parser.add_argument("--out", required=True, help="folder to write *.png and *.svg to")
    parser.add_argument("--only", action="append", choices=every, metavar="PLOT",
                        help=f"draw this one of {', '.join(every)}; may be repeated")
    parser.add_argument("--overview", action="store_true", help="PNG alone, and of the heat maps that of the deciding "
                        "metrics")
    options = parser.parse_args(arguments)
    if options.out in ("", "-"):
        parser.error(f"--out takes a folder to write files to, not '{options.out}'")
    sys.path.insert(0, str(Path(__file__).parent))
    import results as results_file
    try:
        results = results_file.read(options.results)
    except results_file.BadResults as error:
        print(f"plot: {error}", file=sys.stderr)
        return 2
    missing = [m for m in ("matplotlib", "numpy") if importlib.util.find_spec(m) is None]
    if missing:
        print(f"plot: {sys.executable} lacks {' and '.join(missing)}: install Debian's "
              f"{' '.join('python3-' + m for m in missing)} (scripts/setup does)", file=sys.stderr)
        return 1
    names = [name for name in plots_for(results) if not options.only or name in options.only]
    done = drawn_at_once(names, results, Path(options.out), options.overview)
    for _, said, _ in done:
        if said:
            print(said, file=sys.stderr)
    return printed([line for drawn, _, _ in done for line in drawn], max((status for _, _, status in done), default=0))


def drawn_at_once(names, results, folder, overview):
    """What draw_one says of each. Drawing is all Python's own work: a process a plot, as many at once as there are
    processors; a process that is killed costs its plot and those that were not begun."""
    importlib.import_module("style")  # before the fork: matplotlib is loaded once
    processes = min(len(names), len(os.sched_getaffinity(0)))
    if processes < 2:
        return [draw_one(results, folder, overview, name) for name in names]
    fork = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(processes, fork, RESULTS.append, (results,)) as pool:
        started = [pool.submit(draw_in_process, folder, overview, name) for name in names]
        done = []
        for name, one in zip(names, started):
            try:
                done.append(one.result())
            except concurrent.futures.process.BrokenProcessPool:
                done.append(([], f"plot: {name} failed: its process was ended from outside", 1))
        return done


RESULTS = []  # of a process that draws: they are not sent to it for each plot


def draw_in_process(folder, overview, name):
    return draw_one(RESULTS[0], folder, overview, name)


def draw_one(results, folder, overview, name):
    """Draws and saves a plot's figures; returns (the pictures' paths, what is to be said or "", status)."""
    import results as results_file
    import style
    drawn = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draw = importlib.import_module(name).draw
        figures = draw(results, overview) if "overview" in inspect.signature(draw).parameters else draw(results)
        for file_name, figure in figures:
            saved = style.save(figure, folder, file_name, formats=("png",) if overview else ("png", "svg"))
            drawn.append(f"{folder / saved}.png")
    except results_file.NotApplicable:
        pass
    except results_file.Absent as error:
        return drawn, f"plot: {name} skipped: {error}", 0
    except Exception as error:  # one plot that fails must not cost the others
        return drawn, f"plot: {name} failed: {type(error).__name__}: {error}", 1
    return drawn, "", 0


def printed(lines, status):
    """Prints the lines; returns the status, or 1 where they cannot be written."""
    try:
        for line in lines:
            print(line)
        sys.stdout.flush()
    except OSError as error:
        print(f"plot: standard output cannot be written: {error.strerror}", file=sys.stderr)
        # What is buffered would be tried again at the end of the interpreter.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main())
