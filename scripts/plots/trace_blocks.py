"""Plots of a trace's blocks: calls and the most frequent sizes, histograms of sizes, and of lifetimes.

Classes are powers of two. Data: `heapmark trace --format json`.
"""
import style
from results import Absent

NAME = "trace_blocks"
BLUE, RED, GREY = "#0072B2", "#D55E00", "#8A8A8A"


def draw(trace):
    """Yields the figure of calls, of sizes, and of lifetimes where a block was given up."""
    if trace.data["requests"] == 0:
        raise Absent("the trace has no requests")
    yield "trace_calls", calls(trace)
    yield "trace_sizes", sizes(trace)
    if trace.data["given_up"] > 0:
        yield "trace_lifetimes", lifetimes(trace)


def bars(axis, rows, title, unit=style.count_text, colours=BLUE):
    """Horizontal bars of (label, value), the first at the top, each with its value."""
    values = [value for _, value in rows]
    axis.barh(range(len(rows)), values, color=colours, height=0.7)
    axis.set_yticks(range(len(rows)), [label for label, _ in rows], fontsize=8)
    axis.invert_yaxis()
    axis.set_xlim(0, max(values) * 1.2 or 1)
    axis.set_xticks([])
    axis.grid(False)
    for row, value in enumerate(values):
        axis.text(value, row, f" {unit(value)}", va="center", fontsize=7.5)
    axis.set_title(title, loc="left")


def calls(trace):
    data = trace.data
    reallocs = data["reallocs"]
    figure, axes = style.plt.subplots(2, 2, figsize=(10, 6.2))
    bars(axes[0][0], [(name, count) for name, count in data["calls"].items() if count], "calls")
    split = [("freed by its own thread", data["given_up"] - data["given_up_by_others"]),
             ("freed by another", data["given_up_by_others"]), ("never freed", data["never_freed_objects"]),
             ("realloc that moved", reallocs["moved"]), ("that stayed", reallocs["count"] - reallocs["moved"]),
             ("that grew", reallocs["grew"]), ("that shrank", reallocs["shrank"])]
    bars(axes[0][1], split, "blocks", colours=[BLUE, RED, GREY, RED, BLUE, BLUE, GREY])
    bars(axes[1][0], [(f"{one['size']:,} B", one["count"]) for one in data["top_sizes_by_count"]],
         "most frequent sizes: requests")
    bars(axes[1][1], [(f"{one['size']:,} B", one["bytes"]) for one in data["top_sizes_by_bytes"]],
         "sizes with most bytes", style.bytes_text)
    style.finish(figure, trace, f"{trace.title}: {style.count_text(data['events'])} events",
                 f"{style.bytes_text(data['requested_bytes'])} requested in {style.count_text(data['requests'])} requests, "
                 f"{style.count_text(data['refused_requests'])} refused. Freed: by free or realloc. Reallocs copied "
                 f"{style.bytes_text(reallocs['copied_bytes'])}."
                 + (" Rare sizes were not counted." if data["top_sizes_are_approximate"] else ""))
    return figure


def histogram(axis, rows, key, title, name, unit=style.count_text, colour=BLUE):
    """One bar a power of two, from the class of 0 on, where there is one."""
    places = {row["from"].bit_length(): row[key] for row in rows}
    axis.set_title(title, loc="left")
    if not places:
        axis.text(0.5, 0.5, "none", transform=axis.transAxes, ha="center")
        return
    first, last = min(places), max(places)
    axis.bar(range(first, last + 1), [places.get(place, 0) for place in range(first, last + 1)], width=0.9, color=colour)
    shown = range(first, last + 1, max(1, (last - first) // 7 + 1))
    axis.set_xticks(list(shown), [name(0 if place == 0 else 2 ** (place - 1)) for place in shown], fontsize=7.5)
    if unit is style.bytes_text:
        style.byte_axis(axis.yaxis, max(max(places.values()), 1))
    else:
        axis.yaxis.set_major_formatter(style.TickLabels(unit))


def sizes(trace):
    data = trace.data
    figure, axes = style.panels(4)
    histogram(axes[0], data["sizes"], "count", "requests", style.bytes_text)
    histogram(axes[1], data["sizes"], "bytes", "bytes requested", style.bytes_text, style.bytes_text)
    histogram(axes[2], data["sizes_at_peak"], "bytes", "bytes that live at the peak", style.bytes_text, style.bytes_text,
              RED)
    histogram(axes[3], data["sizes_never_freed"], "bytes", "bytes never freed", style.bytes_text, style.bytes_text, GREY)
    style.finish(figure, trace, f"{trace.title}: sizes of blocks", "A bar holds the sizes from its power of two to the next.")
    return figure


def lifetimes(trace):
    data = trace.data
    name = style.time_text if data["has_times"] else style.count_text
    figure, axes = style.panels(2)
    histogram(axes[0], data["lifetimes_ns"], "count", "blocks", name)
    histogram(axes[1], data["lifetimes_ns"], "bytes", "their bytes", name, style.bytes_text)
    unit = f"ticks of {style.time_text(data['tick_ns'])}" if data["has_times"] else "events"
    style.finish(figure, trace, f"{trace.title}: lifetimes of what was given up",
                 f"A bar holds the times from its power of two to the next; at 0 those below a tick. Times are in {unit}. "
                 f"Never freed, and not shown: {style.count_text(data['never_freed_objects'])} blocks.")
    return figure
