"""The entry of scripts/recorder: measures what recording costs, writes results.json, a table and a plot.

In each round every program runs without a recorder, under heapmark's and under heaptrack's, in an order drawn anew, so
that all meet the same machine. Time is that of the program's own process, from its start to its end: what heapmark does
afterwards (closing) and heaptrack's interpreter, which would run beside it, are left out; heaptrack writes its raw data
straight into a file. Below: programs.py, and scripts/plots/recorder_cost.py for the plot.
"""
import argparse
import json
import os
import platform
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "plots"))
import programs  # noqa: E402

ROOT = programs.ROOT
HEAPMARK = ROOT / "build/release/heapmark"
HEAPTRACK = [Path("/usr/lib/heaptrack/libheaptrack_preload.so"), Path("/usr/lib64/heaptrack/libheaptrack_preload.so")]
MODES = ("none", "recorder", "heaptrack")
TOOK = re.compile(r"the program took ([\d.]+) s, ([\d.]+) s of CPU time")
LOOK_SECONDS = 0.02


class Failed(Exception):
    """A run did not do what it was to do; the message says what."""


def took(text):
    """What `heapmark record` says of the program: seconds and CPU seconds."""
    found = TOOK.search(text)
    if not found:
        raise Failed(f"heapmark record does not say how long the program took:\n{text}")
    return {"seconds": float(found[1]), "cpu_seconds": float(found[2])}


def trace_figures(text):
    """Events and bytes of a closed trace, from what `heapmark trace --format json` prints. Pure."""
    facts = json.loads(text)
    return {"events": facts["events"], "closed_bytes": facts["file_bytes"]}


def raw_bytes_per_event(text, name):
    """The column B/event of the row that begins with the trace's name."""
    lines = text.splitlines()
    for at, line in enumerate(lines):
        if "B/event" in line:
            columns = re.split(r"\s{2,}", line.strip())
            for row in lines[at + 1:]:
                cells = re.split(r"\s{2,}", row.strip())
                if cells[0].endswith(name) and len(cells) == len(columns):
                    return float(cells[columns.index("B/event")])
    raise Failed(f"heapmark record prints no row for {name}:\n{text}")


class PeakMemory:
    """The most resident memory of a process (VmHWM of proc(5)), looked at while it runs: what wait4(2) tells counts the
    process that it was forked from too. `child`: of the first child of the process."""

    def __init__(self, pid, child=False):
        self.pid, self.child, self.bytes = pid, child, 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.look)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def look(self):
        while not self.over.wait(LOOK_SECONDS):
            try:
                pid = self.pid
                if self.child:
                    pid = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii").split()[0]
                found = re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"), re.M)
                self.bytes = int(found[1]) * 1024 if found else self.bytes
            except (OSError, IndexError):
                continue  # not begun yet, or over


def run_plainly(words, environment, server, quick):
    """Without heapmark between: times by wait4(2)."""
    start = time.monotonic()
    process = subprocess.Popen(words, env={**os.environ, **environment}, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    with PeakMemory(process.pid) as peak:
        if server:
            programs.load(quick)
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Failed(f"{words[0]} ended with {process.returncode}")
    return {"seconds": seconds, "cpu_seconds": usage.ru_utime + usage.ru_stime, "peak_rss_bytes": peak.bytes}


def run_recorded(words, environment, server, quick, folder):
    trace = folder / "recorded.hmtrace"
    command = [HEAPMARK, "record", "--force", "-o", trace, "--", *words]
    thread = threading.Thread(target=programs.load, args=(quick,)) if server else None
    if thread:
        thread.start()
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    with PeakMemory(process.pid, child=True) as peak:
        _, said = process.communicate()
    if thread:
        thread.join()
    if process.returncode != 0:
        raise Failed(f"heapmark record ended with {process.returncode}:\n{said}")
    facts = subprocess.run([HEAPMARK, "trace", trace, "--format", "json"], check=True, capture_output=True, text=True)
    figures = {**took(said), **trace_figures(facts.stdout), "peak_rss_bytes": peak.bytes,
               "raw_bytes_per_event": raw_bytes_per_event(said, trace.name)}
    figures["closed_bytes_per_event"] = figures["closed_bytes"] / max(figures["events"], 1)
    trace.unlink()
    return figures


def run_heaptrack(words, environment, server, quick, folder, library):
    output = folder / "heaptrack.raw"
    figures = run_plainly(words, {**environment, "LD_PRELOAD": str(library), "DUMP_HEAPTRACK_OUTPUT": str(output)},
                          server, quick)
    found = [file for file in folder.iterdir() if file.name.startswith("heaptrack.raw")]
    figures["raw_bytes"] = sum(file.stat().st_size for file in found)
    if figures["raw_bytes"] == 0:
        raise Failed("heaptrack recorded nothing")
    for file in found:
        file.unlink()
    return figures


def summary(rounds):
    """Medians over the rounds, and the least and most of what is claimed. Pure."""
    def over(figure):
        values = [figure(one) for one in rounds]
        return {"median": statistics.median(values), "least": min(values), "most": max(values)}

    def slowdown(one, mode):
        return one[mode]["cpu_seconds"] / one["none"]["cpu_seconds"]

    def extra_rss(mode):
        return lambda one: one[mode]["peak_rss_bytes"] - one["none"]["peak_rss_bytes"]

    found = {
        "events": statistics.median(one["recorder"]["events"] for one in rounds),
        "recorder_ns_per_event": over(lambda one: (one["recorder"]["cpu_seconds"] - one["none"]["cpu_seconds"]) * 1e9
                                      / one["recorder"]["events"]),
        "recorder_slowdown": over(lambda one: slowdown(one, "recorder")),
        "recorder_extra_rss_bytes": over(extra_rss("recorder")),
        "raw_bytes_per_event": over(lambda one: one["recorder"]["raw_bytes_per_event"]),
        "closed_bytes_per_event": over(lambda one: one["recorder"]["closed_bytes_per_event"])}
    if all("heaptrack" in one for one in rounds):
        found |= {
            "heaptrack_ns_per_event": over(lambda one: (one["heaptrack"]["cpu_seconds"] - one["none"]["cpu_seconds"]) * 1e9
                                           / one["recorder"]["events"]),
            "heaptrack_slowdown": over(lambda one: slowdown(one, "heaptrack")),
            "heaptrack_extra_rss_bytes": over(extra_rss("heaptrack")),
            "heaptrack_bytes_per_event": over(lambda one: one["heaptrack"]["raw_bytes"] / one["recorder"]["events"]),
            # Of the time that each adds.
            "recorder_share_of_heaptrack": over(lambda one: (slowdown(one, "recorder") - 1)
                                                / (slowdown(one, "heaptrack") - 1))}
    return found


def table(measured):
    """The summary in Markdown. Pure."""
    lines = ["| program | events | ns an event | slow-down | heaptrack's | of heaptrack's | bytes an event | closed | memory |",
             "| :-- | --: | --: | --: | --: | --: | --: | --: | --: |"]
    for name, program in measured.items():
        s = program["summary"]

        def mid(figure, digits=3, times=1):
            return f"{s[figure]['median'] * times:.{digits}g}" if figure in s else ""
        lines.append(f"| {name} | {s['events'] / 1e6:.3g} M | {mid('recorder_ns_per_event')} "
                     f"[{s['recorder_ns_per_event']['least']:.3g}, {s['recorder_ns_per_event']['most']:.3g}] | "
                     f"{mid('recorder_slowdown')} | {mid('heaptrack_slowdown')} | {mid('recorder_share_of_heaptrack', 2)} | "
                     f"{mid('raw_bytes_per_event', 2)} | {mid('closed_bytes_per_event', 2)} | "
                     f"{mid('recorder_extra_rss_bytes', 3, 1 / 2**10)} KiB |")
    return "\n".join(lines)


def measure(names, rounds, quick, library, seed):
    order = random.Random(seed)
    measured = {}
    with tempfile.TemporaryDirectory(prefix="heapmark-recorder-") as temporary:
        folder = Path(temporary)
        commands = {}
        for name in names:
            try:
                commands[name] = programs.PROGRAMS[name](folder, quick)
            except programs.Absent as error:
                print(f"recorder: {name} is left out: {error}", file=sys.stderr)
        for number in range(rounds):
            for name, (words, environment) in commands.items():
                server = name in programs.SERVERS
                modes = [mode for mode in MODES if mode != "heaptrack" or library]
                order.shuffle(modes)
                one = {}
                for mode in modes:
                    print(f"recorder: round {number + 1} of {rounds}, {name}, {mode}", file=sys.stderr)
                    if mode == "none":
                        one[mode] = run_plainly(words, environment, server, quick)
                    elif mode == "recorder":
                        one[mode] = run_recorded(words, environment, server, quick, folder)
                    else:
                        one[mode] = run_heaptrack(words, environment, server, quick, folder, library)
                measured.setdefault(name, {"rounds": []})["rounds"].append(one)
    for program in measured.values():
        program["summary"] = summary(program["rounds"])
    return measured


def draw(data, name, folder):
    import recorder_cost
    import style
    folder.mkdir(parents=True, exist_ok=True)
    for plot, figure in recorder_cost.draw(data, name):
        print(folder / f"{style.save(figure, folder, plot)}.png")


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="recorder", description="Measures what heapmark record costs.")
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help=f"of {', '.join(programs.PROGRAMS)}; by default all")
    parser.add_argument("--quick", action="store_true", help="small inputs and one round: a look, not a proof")
    parser.add_argument("--rounds", type=int, help="7, or with --quick 1")
    parser.add_argument("--out", default="results/recorder", help="folder of results.json and the plots")
    parser.add_argument("--draw", metavar="RESULTS.json", help="measure nothing: draw the plot of that file into --out again")
    options = parser.parse_args(arguments)
    if options.draw:
        draw(json.loads(Path(options.draw).read_text(encoding="utf-8")), options.draw, Path(options.out))
        return 0
    unknown = [name for name in options.programs if name not in programs.PROGRAMS]
    if unknown:
        parser.error(f"unknown program '{unknown[0]}': one of {', '.join(programs.PROGRAMS)}")
    rounds = options.rounds or (1 if options.quick else 7)
    if rounds < 1:
        parser.error("--rounds takes a number from 1 up")
    if not HEAPMARK.exists():
        print("recorder: build it first: scripts/build", file=sys.stderr)
        return 1
    library = next((file for file in HEAPTRACK if file.exists()), None)
    if not library:
        print("recorder: heaptrack is not installed: it is left out", file=sys.stderr)
    names = options.programs or list(programs.PROGRAMS)
    try:
        measured = measure(names, rounds, options.quick, library, seed=1)
    except Failed as error:
        print(f"recorder: {error}", file=sys.stderr)
        return 1
    if not measured:
        print("recorder: nothing could be measured", file=sys.stderr)
        return 1
    folder = Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    words = ["scripts/recorder", *(["--quick"] if options.quick else []), *(["--rounds", str(options.rounds)] if options.rounds else []),
             *options.programs]
    data = {"context": {"command": " ".join(words), "kernel": platform.release(), "num_cpus": os.cpu_count(),
                        "load_at_start": os.getloadavg()[0], "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())},
            "programs": measured}
    file = folder / "results.json"
    file.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    print(table(measured))
    draw(data, str(file), folder / "plots")
    return 0


if __name__ == "__main__":
    sys.exit(main())
