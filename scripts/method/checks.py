"""What the method's checks compute from figures that heapmark worked out. Pure; no figure is made here.

A row is a dict as `heapmark show --format csv` prints it.
"""

import math
import statistics


def of_time(rows, metric="ns_per_op"):
    """The rows of that time in the speed pass that have a ratio."""
    return [r for r in rows if r["pass"] == "speed" and r["metric"] == metric and r["ratio"]]


def ratio_of_cpu(rows):
    """A command's CPU time to the baseline's, of the one allocator that is not it; None where it was not measured."""
    found = of_time(rows, "cpu_seconds")
    return float(found[0]["ratio"]) if found else None


def spread(ratios):
    """Standard deviation of the ratios, as a share: on logarithms, so that 2 and 0.5 are equally far from 1."""
    logs = [math.log(ratio) for ratio in ratios if ratio]
    return statistics.stdev(logs) if len(logs) > 1 else math.nan


def interval(row):
    """(low, high) of the ratio; None where there is none."""
    if not row["ratio_low"] or not row["ratio_high"]:
        return None
    return float(row["ratio_low"]), float(row["ratio_high"])


def compare(lockstep_rows, isolated_rows, metric="ns_per_op"):
    """One dict for each workload variant and allocator that both measured."""
    others = {(r["workload"], r["variant"], r["allocator"]): r for r in of_time(isolated_rows, metric)}
    compared = []
    for row in of_time(lockstep_rows, metric):
        key = (row["workload"], row["variant"], row["allocator"])
        if key not in others:
            continue
        one, other = interval(row), interval(others[key])
        meet = "" if one is None or other is None else "yes" if one[0] <= other[1] and other[0] <= one[1] else "no"
        compared.append({
            "workload": "/".join(key[:2]), "allocator": key[2],
            "lockstep": row["ratio"], "lockstep_low": row["ratio_low"], "lockstep_high": row["ratio_high"],
            "isolated": others[key]["ratio"], "isolated_low": others[key]["ratio_low"],
            "isolated_high": others[key]["ratio_high"], "intervals_meet": meet})
    return compared


def compare_commands(turns_rows, rounds_rows):
    """The same of commands, by the CPU time of their process trees."""
    return [{"command": row["workload"].split("/")[0], "allocator": row["allocator"],
             **{name.replace("lockstep", "turns").replace("isolated", "rounds"): row[name] for name in list(row)[2:]}}
            for row in compare(turns_rows, rounds_rows, "cpu_seconds")]


def disjoint_sets(rounds, size, random):
    """As many sets of `size` different rounds as there are, drawn at random; no round is in two of them."""
    shuffled = list(rounds)
    random.shuffle(shuffled)
    return [sorted(shuffled[at:at + size]) for at in range(0, len(shuffled) - size + 1, size)]


def only_rounds(results, rounds):
    """A results file's content with the records of these rounds alone, numbered from 0."""
    number = {old: new for new, old in enumerate(rounds)}
    records = [dict(r, round=number[r["round"]]) for r in results["records"] if r["round"] in number]
    return dict(results, records=records, statistics=[], benchmarks=[])


def joined(parts):
    """The records of several runs of the same work as one results file's content, their rounds numbered on."""
    records, first = [], 0
    for part in parts:
        records += [dict(r, round=r["round"] + first) for r in part["records"]]
        first = max((r["round"] for r in records), default=-1) + 1
    return dict(parts[0], records=records, statistics=[], benchmarks=[])


def alarms(rows):
    """(verdicts that say better or worse, all verdicts)."""
    verdicts = [r["verdict"] for r in rows if r["verdict"]]
    return sum(v in ("better", "worse", "differs") for v in verdicts), len(verdicts)


def steps_for(share, measured):
    """Steps a call that slow an allocator by `share`: on the line between the two of `measured` ({steps: ratio}) around
    it. What a step costs is not the same for all: the first ones hide behind what the processor does meanwhile."""
    points = sorted(measured.items())
    above = next(((steps, ratio) for steps, ratio in points if ratio >= 1 + share), None)
    if above is None:
        raise ValueError(f"no number of steps made it {share:.0%} slower (of {points}): calibrate with more")
    below = max(((steps, ratio) for steps, ratio in points if steps < above[0]), default=(0, 1.0))
    return below[0] + (above[0] - below[0]) * (1 + share - below[1]) / (above[1] - below[1])
