#!/usr/bin/python3
"""Checks heapmark's own way of timing; README.md beside it says what each command asks.

Owns the settings of the checks: how many rounds, which workloads. What they compute is in checks.py.
"""
import argparse
import csv
import os
import random
import sys
import tempfile
from pathlib import Path

import checks
from runs import Bench, Kept, content_of, write_csv

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import program_works  # noqa: E402

FULL = {
    "allocators": "glibc,jemalloc,mimalloc,tcmalloc,brkmmap",
    "workloads": "churn/small-1t,churn/small-4t,churn/mixed-1t,churn/mixed-4t,breathe/wide,breathe/buffers,breathe/bursts",
    "quick": [], "parts": 4, "lockstep_rounds": 3, "isolated_rounds": 6,  # in each part
    "slice_ms": [3, 10, 20, 40, 80], "slice_workloads": "churn/small-1t,breathe/wide",
    # --quick, and 1000 sessions: a hundred runs of ten rounds, more of fewer.
    "alarm_sessions": 1000, "alarm_workloads": "churn/small-1t", "alarm_quick": ["--quick"],
    "alarm_rounds": [2, 3, 6, 10, 24],
    "calibration_rounds": 240, "calibration_steps": 40, "calibrations": 3, "power_runs": 10, "power_workload": "churn/small-1t",
    # Many short sessions say more than few long ones: the memory layout of a process differs from start to start.
    "power_quick": ["--quick"],
    # (share, busy loops beside, most seconds of a run)
    "power": [(0.03, 2, 20), (0.01, 0, 120)],
    "commands": ["python3", "sqlite3", "perl"], "command_allocators": "glibc,jemalloc,tcmalloc", "command_rounds": 6,
    "command_spread_rounds": 12,
}
TINY = dict(
    FULL, allocators="glibc,brkmmap", workloads="churn/small-1t,tutorial", quick=["--quick"], parts=2, lockstep_rounds=1,
    isolated_rounds=1, slice_ms=[5, 20], slice_workloads="churn/small-1t", alarm_sessions=4,
    alarm_workloads="churn/small-1t", alarm_rounds=[2], calibration_rounds=2, calibrations=2, power_runs=1,
    power=[(0.5, 1, 5)], commands=["perl"], command_allocators="glibc,jemalloc", command_rounds=2,
    command_spread_rounds=2)


def in_turn(bench, setting, ways):
    """Runs each of `ways` (name: arguments, rounds, slice_ms) in parts, one after another and again: the machine's speed
    changes from minute to minute, and must not be taken for what a way does. Returns the rows of each."""
    parts = {name: [] for name in ways}
    for part in range(setting["parts"]):
        for name, (arguments, rounds, slice_ms) in ways.items():
            path, _ = bench.run(f"{name}-{part + 1}", *arguments, "-r", rounds, "--seed", part + 1, slice_ms=slice_ms)
            parts[name].append(content_of(path))
    return {name: bench.rows_of(checks.joined(results)) for name, results in parts.items()}


def isolated(bench, setting):
    common = ["-a", setting["allocators"], "-w", setting["workloads"], "--pass", "speed", *setting["quick"]]
    rows = in_turn(bench, setting, {
        "isolated-lockstep": (common, setting["lockstep_rounds"], None),
        "isolated-alone": ([*common, "--no-lockstep"], setting["isolated_rounds"], None)})
    return checks.compare(rows["isolated-lockstep"], rows["isolated-alone"])


def slices(bench, setting):
    common = ["-a", setting["allocators"], "-w", setting["slice_workloads"], "--pass", "speed", *setting["quick"]]
    ways = {f"slices-{length}ms": (common, setting["lockstep_rounds"], length) for length in setting["slice_ms"]}
    ways["slices-alone"] = ([*common, "--no-lockstep"], setting["isolated_rounds"], None)
    measured = in_turn(bench, setting, ways)
    rows = []
    for length, name in zip([*setting["slice_ms"], "alone"], ways):
        for row in checks.of_time(measured[name]):
            rows.append({"slice_ms": length, "workload": f"{row['workload']}/{row['variant']}",
                         "allocator": row["allocator"], "ns_per_op": row["median"], "ratio": row["ratio"],
                         "ratio_low": row["ratio_low"], "ratio_high": row["ratio_high"]})
    return rows


def alarms(bench, setting):
    rows = []
    for loops in (0, os.cpu_count()):
        with bench.load(loops):
            path, _ = bench.run(f"alarms-{loops}-busy", "-a", "glibc,glibc", "-w", setting["alarm_workloads"], "--pass",
                                "speed", *setting["alarm_quick"], "-r", setting["alarm_sessions"])
        results = content_of(path)
        for record in results["records"]:  # the verdicts need no slices
            record["tables"] = {}
        numbers = sorted({record["round"] for record in results["records"]})
        for size in setting["alarm_rounds"]:
            false, all_verdicts, time_false, time_verdicts, sets = 0, 0, 0, 0, 0
            for rounds in checks.disjoint_sets(numbers, size, random.Random(size)):
                shown = bench.rows_of(checks.only_rounds(results, rounds))
                sets += 1
                for part, add in ((shown, "all"), (checks.of_time(shown), "time")):
                    wrong, count = checks.alarms(part)
                    if add == "all":
                        false, all_verdicts = false + wrong, all_verdicts + count
                    else:
                        time_false, time_verdicts = time_false + wrong, time_verdicts + count
            rows.append({"busy_loops": loops, "rounds": size, "runs": sets, "verdicts": all_verdicts,
                         "false_alarms": false, "share": f"{false / max(1, all_verdicts):.4f}",
                         "time_verdicts": time_verdicts, "time_false_alarms": time_false,
                         "time_share": f"{time_false / max(1, time_verdicts):.4f}"})
    return rows


def power_name(share, number):
    return f"power-{share * 100:g}-{number}"


def power(bench, setting):
    work = ["-w", setting["power_workload"], "--pass", "speed", *setting["power_quick"], "--baseline", "plain"]
    plain = bench.slowed(0)

    def measured(name, steps):
        path, _ = bench.run(name, "-a", f"plain={plain},slow={bench.slowed(steps)}", *work, "-r",
                            setting["calibration_rounds"])
        return checks.of_time(bench.rows(path))[0]

    rows, most_steps = [], setting["calibration_steps"]
    for share, loops, seconds in setting["power"]:
        ratios = {0: 1.0}
        for number in range(setting["calibrations"] + 1):
            steps = checks.steps_for(share, ratios) if number > 0 else most_steps
            is_now = measured(power_name(share, f"calibration-{number}"), steps)
            ratios[steps] = float(is_now["ratio"])
        slowed = bench.slowed(steps)
        for number in range(1, setting["power_runs"] + 1):
            with bench.load(loops):
                path, took = bench.run(power_name(share, number), "-a", f"plain={plain},slow={slowed}", *work,
                                       "-r", 1000, "--budget", f"{max(1, seconds - 2)}s", "--seed", number)
            # A slowdown within the margin would be called equal, rightly: the margin lies below what is looked for.
            row = checks.of_time(bench.rows(path, min(0.03, share / 4)))[0]
            rows.append({"wanted": share, "slower_by": f"{float(is_now['ratio']) - 1:.4f}",
                         "slower_low": f"{float(is_now['ratio_low']) - 1:.4f}",
                         "slower_high": f"{float(is_now['ratio_high']) - 1:.4f}",
                         "busy_loops": loops, "run": number, "seconds": f"{took:.1f}",
                         "at_most": seconds, "rounds": row["count"], "ratio": row["ratio"],
                         "ratio_low": row["ratio_low"], "ratio_high": row["ratio_high"], "verdict": row["verdict"],
                         "found": "yes" if row["verdict"] == "worse" and took <= seconds else "no"})
    return rows


def commands(bench, setting):
    """Rounds beside turns of whole process trees: the ratios on a quiet machine, and glibc against itself on a busy one."""
    with tempfile.TemporaryDirectory() as inputs:
        program_works.make_inputs(inputs)
        return compare_ways(bench, setting, inputs)


def compare_ways(bench, setting, inputs):
    rows = []
    for name in filter(bench.can_measure, setting["commands"]):
        flags, words = program_works.flags_and_words(name, inputs)
        command = ["--name", name, *flags, "--", *words]
        ways = {"rounds": [], "turns": ["--lockstep"]}
        quiet, spread = {}, {}
        for way, flag in ways.items():
            path, _ = bench.run(f"commands-{name}-{way}", "-a", setting["command_allocators"], "--pass", "speed", *flag,
                                "-r", setting["command_rounds"], *command)
            quiet[way] = bench.rows(path)
            with bench.load(os.cpu_count()):
                path, _ = bench.run(f"commands-{name}-{way}-busy", "-a", "glibc,glibc", "--pass", "speed", *flag, "-r",
                                    setting["command_spread_rounds"], *command)
            results = content_of(path)
            numbers = sorted({record["round"] for record in results["records"]})
            spread[way] = checks.spread([checks.ratio_of_cpu(bench.rows_of(checks.only_rounds(results, [number])))
                                         for number in numbers])
        for row in checks.compare_commands(quiet["turns"], quiet["rounds"]):
            rows.append(dict(row, spread_rounds_busy=f"{spread['rounds']:.4f}", spread_turns_busy=f"{spread['turns']:.4f}"))
    return rows


def rows_in(table):
    """The rows of a CSV file that was written before, none where it was not."""
    if not table.exists():
        return []
    with open(table, newline="", encoding="utf-8") as rows:
        return list(csv.DictReader(rows))


def seconds_in(table):
    """How long the runs of the power check took that stand in this CSV file, by their names."""
    return {power_name(float(row["wanted"]), row["run"]): float(row["seconds"]) for row in rows_in(table)
            if "wanted" in row}


CHECKS = {"isolated": isolated, "slices": slices, "alarms": alarms, "power": power, "commands": commands}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("check", choices=[*CHECKS, "all"])
    parser.add_argument("--out", required=True, type=Path, help="folder for the CSV files and heapmark's results")
    parser.add_argument("--build", type=Path, default=ROOT / "build/release", help="where heapmark was built")
    parser.add_argument("--tiny", action="store_true", help="shows that it works; the figures say nothing")
    parser.add_argument("--again", action="store_true",
                        help="measure nothing: compute again from the results files of an earlier run")
    parser.add_argument("--share", type=float, help="power: only this slowdown, 0.03 or 0.01; the rows of the other stay")
    options = parser.parse_args()
    if options.share is not None and (options.again or options.check != "power"):
        parser.error("--share is for the check power, and for measuring: --again computes the whole table")
    setting = dict(TINY if options.tiny else FULL)
    if options.share is not None:
        setting["power"] = [one for one in setting["power"] if one[0] == options.share]
        if not setting["power"]:
            parser.error(f"--share: there is no check of a slowdown by {options.share:g}")
    if not (options.build / "heapmark").exists():
        sys.exit(f"method: {options.build}/heapmark is not there: build it with scripts/build, or name --build")
    own_files = "*" if options.share is None else power_name(options.share, "*")
    for name in CHECKS if options.check == "all" else [options.check]:
        if not options.again and any((options.out / name).glob(own_files)):
            sys.exit(f"method: {options.out / name}/{own_files} exists: remove it, or choose another --out, or --again")
    for name in CHECKS if options.check == "all" else [options.check]:
        folder, table = options.out / name, options.out / f"{name}.csv"
        bench = Kept(options.build, folder, seconds_in(table)) if options.again else Bench(options.build, folder)
        others = [] if options.share is None else [r for r in rows_in(table) if float(r["wanted"]) != options.share]
        write_csv(table, others + CHECKS[name](bench, setting))


if __name__ == "__main__":
    main()
