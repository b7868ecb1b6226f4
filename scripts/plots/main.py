"""The entry of scripts/plot: reads the results, asks each plot for its figures and saves them.

Decides exit codes and messages, nothing of what is drawn. A plot is a module with NAME and draw(results),
which yields (file name, figure) or raises Absent; a new one is one more name in PLOTS.
"""
import argparse
import importlib
import importlib.util
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
    import style
    status, drawn = 0, []
    for name in plots_for(results):
        if options.only and name not in options.only:
            continue
        try:
            folder = Path(options.out)
            folder.mkdir(parents=True, exist_ok=True)
            for file_name, figure in importlib.import_module(name).draw(results):
                saved = style.save(figure, folder, file_name)
                drawn.append(f"{folder / saved}.png")
        except results_file.NotApplicable:
            continue
        except results_file.Absent as error:
            print(f"plot: {name} skipped: {error}", file=sys.stderr)
        except Exception as error:  # one plot that fails must not cost the others
            print(f"plot: {name} failed: {type(error).__name__}: {error}", file=sys.stderr)
            status = 1
    return printed(drawn, status)


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
