"""Plot (b): time against memory, both as ratio to the baseline; a mark with its intervals an allocator.

Time is the speed pass's ns_per_op, of a command wall_seconds; memory is the memory pass's rss_over_live_mean, or rss_peak_bytes where a
workload has no such metric. The ratios and intervals are the file's. Down and left is better.
"""
from matplotlib.lines import Line2D

import style
from results import Absent, number, unique

NAME = "time_memory"
TIMES = ("ns_per_op", "wall_seconds", "load_seconds")  # of an operation, of a command, of a load on a server


def ratio(results, workload, variant, pass_, metric, label):
    statistic = results.statistic(workload, variant, pass_, metric, label)
    found = [number(((statistic or {}).get("ratio") or {}).get(key)) for key in ("median", "low", "high")]
    return found if found[0] > 0 else None


def points(results, workload, variant, metric):
    labels = style.ordered(s.get("allocator", "") for s in results.statistics
                           if (s.get("workload"), s.get("variant")) == (workload, variant))
    found, missing = {}, []
    for label in labels:
        if label == results.baseline:
            continue
        time = None
        for clock in TIMES:
            time = time or ratio(results, workload, variant, "speed", clock, label)
        memory = ratio(results, workload, variant, "memory", metric, label)
        if time and memory:
            found[label] = (time, memory)
        else:
            missing.append(label)
    return found, missing


def draw(results):
    """Yields one figure with a panel for each workload variant that has both ratios."""
    groups = []
    for workload, variant in unique((s.get("workload"), s.get("variant")) for s in results.statistics):
        for metric in ("rss_over_live_mean", "rss_peak_bytes"):
            found, missing = points(results, workload, variant, metric)
            if found:
                groups.append((workload, variant, metric, found, missing))
                break
    if not groups:
        raise Absent("no workload has both a time and a memory ratio to the baseline")
    figure, axes = style.panels(len(groups), width=4.6, height=3.7, columns=2)
    seen = {results.baseline}
    for axis, (workload, variant, metric, found, missing) in zip(axes, groups):
        seen.update(found)
        axis.set_xscale("log", base=2)
        axis.set_yscale("log", base=2)
        axis.axhline(1, color="#888888", linewidth=0.8, zorder=1)
        axis.axvline(1, color="#888888", linewidth=0.8, zorder=1)
        spans = [[1.0], [1.0]]
        for label, pair in {results.baseline: ([1.0] * 3, [1.0] * 3), **found}.items():
            look = style.look(label)
            errors = []
            for side, (middle, low, high) in enumerate(pair):
                low, high = (v if v > 0 else middle for v in (low, high))
                errors.append([[max(0, middle - low)], [max(0, high - middle)]])
                spans[side] += [low, high]
            axis.errorbar(pair[0][0], pair[1][0], xerr=errors[0], yerr=errors[1], color=look["color"],
                          marker=look["marker"], markersize=9 if look["marker"] == "*" else 7, linewidth=1.2,
                          markeredgecolor="white", markeredgewidth=0.6, capsize=2.5, zorder=3)
        for scale, span in ((axis.set_xlim, spans[0]), (axis.set_ylim, spans[1])):
            room = max(max(span) / min(span), 1.2) ** 0.12
            scale(min(span) / room, max(span) * room)
        style.ratio_axes(axis)
        axis.set_xlabel("time per operation")
        axis.set_ylabel("RSS over live bytes" if metric == "rss_over_live_mean" else "peak RSS")
        absent = "\n" + style.textwrap.fill("✕ failed or no ratio: " + ", ".join(missing), 52) if missing else ""
        axis.set_title(f"{workload} {variant}{absent}", loc="left", fontsize=9.5)
    keys = [Line2D([], [], color=style.look(a)["color"], marker=style.look(a)["marker"], linestyle="none",
                   label=a + (" (baseline)" if a == results.baseline else "")) for a in style.ordered(seen)]
    style.finish(figure, results, f"Time against memory, relative to {results.baseline}: down and left is better",
                 "Median of the paired ratios with its interval; log axes. An allocator without both ratios is "
                 "named, not drawn. A panel's scale is its own.")
    style.key_row(figure, keys)
    yield NAME, figure
