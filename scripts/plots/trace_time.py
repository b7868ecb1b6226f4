"""Plots of a trace over time: what lives, how busy the program is, how many threads run; and each thread's life.

Of a part of the time the largest value is drawn, so that no peak is lost. Data: `heapmark trace --format json`.
"""
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

import style
from results import Absent

NAME = "trace_time"
LIVE, OTHER, IDLE = "#0072B2", "#D55E00", "#BBBBBB"
SHOWN_THREADS = 40


def time_axis(axis, trace):
    """Seconds, or events where the trace has no times."""
    if trace.data["has_times"]:
        axis.xaxis.set_major_formatter(style.TickLabels(style.time_text))
        axis.set_xlabel("time")
    else:
        axis.xaxis.set_major_formatter(style.TickLabels(style.count_text))
        axis.set_xlabel("events")
    axis.set_xlim(0, max(trace.data["duration_ns"], 1))


def draw(trace):
    """Yields two figures; of a trace with one thread one."""
    if not trace.data["moments"]:
        raise Absent("the trace has no events")
    yield NAME, over_time(trace)
    if len(trace.data["threads"]) > 1:
        yield "trace_threads", threads(trace)


def over_time(trace):
    data, moments = trace.data, trace.data["moments"]
    starts = [moment["start_ns"] for moment in moments]
    step = starts[1] - starts[0] if len(starts) > 1 else max(data["duration_ns"], 1)
    edges = [*starts, starts[-1] + step]
    per_second = 1e9 / step if data["has_times"] else 1
    panels = [("live bytes", "max_live_bytes", 1), ("live objects", "max_live_objects", 1),
              ("events a second" if data["has_times"] else "events", "events", per_second),
              ("threads", "max_threads", 1)]
    if data["max_threads_at_once"] == 1:
        panels.pop()
    figure, axes = style.panels(len(panels), columns=1, width=9, height=1.7, sharex=True)
    for axis, (title, key, scale) in zip(axes, panels):
        values = [moment[key] * scale for moment in moments]
        axis.stairs(values, edges, fill=True, color=LIVE, alpha=0.25)
        axis.stairs(values, edges, color=LIVE, linewidth=1.1)
        axis.set_title(title, loc="left")
        axis.set_ylim(0, max(values) * 1.15 or 1)
        axis.yaxis.set_major_formatter(style.TickLabels(style.count_text))
    style.byte_axis(axes[0].yaxis, max(data["peak_live_bytes"], 1))
    axes[0].axhline(data["least_rss_bytes"], color=OTHER, linewidth=1, linestyle=(0, (4, 2)))
    axes[0].plot(data["peak_ns"], data["peak_live_bytes"], marker="v", color=OTHER, clip_on=False)
    time_axis(axes[-1], trace)
    peak = style.bytes_text(data["peak_live_bytes"])
    style.finish(figure, trace, f"{trace.title}: {peak} of live memory at the peak",
                 f"Never freed: {style.bytes_text(data['never_freed_bytes'])} in "
                 f"{style.count_text(data['never_freed_objects'])} objects. Of each of {len(moments)} parts of the time "
                 "the largest value. Least RSS: live bytes at the peak in whole pages; a program that writes to all that "
                 "it asks for cannot have less.")
    style.key_row(figure, [
        Line2D([], [], color=LIVE, label="largest of each part"),
        Line2D([], [], color=OTHER, marker="v", linestyle="none", label="peak of live bytes"),
        Line2D([], [], color=OTHER, linestyle=(0, (4, 2)), label="least RSS of any allocator")])
    return figure


def threads(trace):
    data = trace.data
    shown = sorted(sorted(data["threads"], key=lambda one: -one["events"])[:SHOWN_THREADS],
                   key=lambda one: one["number"])
    figure, (life, work) = style.plt.subplots(1, 2, sharey=True, figsize=(11, 0.22 * len(shown) + 2.9),
                                              gridspec_kw={"width_ratios": [3, 2]})
    rows = range(len(shown))
    least = data["duration_ns"] / 300  # so that a short life is seen
    life.barh(rows, [max(one["end_ns"] - one["start_ns"], least) for one in shown],
              left=[one["start_ns"] for one in shown], height=0.7, color=LIVE)
    time_axis(life, trace)
    life.set_yticks(rows, [f"thread {one['number']}" for one in shown], fontsize=8)
    life.set_ylim(len(shown) - 0.4, -0.6)
    life.set_title("from start to end", loc="left")
    freed, others = ([one[key] for one in shown] for key in ("given_up", "given_up_of_others"))
    work.barh(rows, [one["events"] for one in shown], height=0.7, color=IDLE)
    work.barh(rows, freed, height=0.45, color=LIVE)
    work.barh(rows, others, height=0.45, color=OTHER)
    work.xaxis.set_major_formatter(style.TickLabels(style.count_text))
    work.set_title("events", loc="left")
    total, by_others = data["given_up"], data["given_up_by_others"]
    share = f"{100 * by_others / total:.0f} % of all blocks are freed" if total else "No block is freed"
    left_out = len(data["threads"]) - len(shown)
    style.finish(figure, trace, f"{trace.title}: {len(data['threads'])} threads, {data['max_threads_at_once']} at once",
                 f"{share} by another thread than requested them{'.' if total else ''}"
                 + (f" The {left_out} threads with fewest events are not shown." if left_out else ""))
    style.key_row(figure, [Patch(color=IDLE, label="all events"), Patch(color=LIVE, label="blocks given up"),
                           Patch(color=OTHER, label="of these, other threads' blocks")])
    return figure
