"""Plot: the tail of the time of a call. For each duration the share of calls that took longer, on log axes (1 - ECDF).

A panel for each kind of call, a curve an allocator; the trials of all rounds together. Calls in which another program
got the CPU are left out. A curve that lies lower is better; where it ends is the slowest call.
"""
from matplotlib.lines import Line2D

import style
from results import Absent, column, number, table_of, unique

NAME = "latency"
CALLS = ["malloc", "free", "realloc", "calloc", "aligned"]
PREEMPTED = 3


def draw(results):
    """Yields (name, figure), one a workload variant."""
    trials = [r for r in results.trials(pass_="latency") if table_of(r, "latency_buckets")]
    if not trials:
        raise Absent("no latency trial has a table 'latency_buckets'")
    for workload, variant in unique((r.get("workload"), r.get("variant")) for r in trials):
        group = {}
        for record in trials:
            if (record.get("workload"), record.get("variant")) == (workload, variant):
                add(group.setdefault(record.get("allocator"), {}), table_of(record, "latency_buckets"))
        yield f"{NAME}-{workload}-{variant}", one(results, workload, variant, group)


def add(counts, table):
    """Adds a table's calls to {kind of call: {end of bucket in ns: calls}}."""
    rows = zip(*(column(table, name) for name in ("call", "kind", "to_ns", "calls")))
    for call, kind, end, calls in rows:
        if call != call or kind == PREEMPTED:
            continue
        of_call = counts.setdefault(int(call), {})
        if end == end and calls == calls:
            of_call[end] = of_call.get(end, 0) + calls


def survivors(buckets):
    """Durations in order, and of each the share of calls that took longer; the last, of which none did, left out."""
    total, longer, x, y = sum(buckets.values()), sum(buckets.values()), [], []
    for end in sorted(buckets):
        longer -= buckets[end]
        if longer > 0:
            x.append(end)
            y.append(longer / total)
    return x, y


def one(results, workload, variant, group):
    labels = style.ordered(group)
    kinds = sorted({call for counts in group.values() for call in counts})
    figure, axes = style.panels(len(kinds), columns=2, height=3.2)
    for axis, call in zip(axes, kinds):
        for label in labels:
            x, y = survivors(group[label].get(call, {}))
            look = style.look(label)
            axis.step(x, y, where="post", color=look["color"], linestyle=look["linestyle"], linewidth=1.3)
        axis.set_title(CALLS[call] if call < len(CALLS) else f"call {call}", loc="left")
        if not any(survivors(group[label].get(call, {}))[0] for label in labels):
            axis.text(0.5, 0.5, "not measured", transform=axis.transAxes, ha="center")
            continue
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.axvline(1e5, color="#888888", linewidth=0.7)
        axis.xaxis.set_major_formatter(style.TickLabels(style.time_text))
        axis.set_xlabel("time of a call")
        axis.set_ylabel("share of calls longer")
    cost = [number((r.get("metrics") or {}).get("clock_cost_ns")) for r in results.trials(workload, "latency")]
    cost = [c for c in cost if c == c]
    style.finish(figure, results, f"{workload} {variant}: how slow the slowest calls are",
                 "Latency pass, all rounds together; buckets are 6 % wide. The line at 100 µs: longer calls are stalls. "
                 "Calls in which another program got the CPU are left out"
                 + (f"; two readings of the clock cost {min(cost):.3g} ns, which is not subtracted." if cost else "."))
    style.key_row(figure, [Line2D([], [], color=style.look(label)["color"], linestyle=style.look(label)["linestyle"],
                                  label=style.wrapped(label)) for label in labels])
    return figure
