"""Plot (g): one picture of a whole group of workloads: a row a variant, a column an allocator; time on the left, peak
resident memory on the right, each as ratio to the baseline.

Colours, hatches and signs are those of heatmap.py, which draws every deciding metric; this is the picture to begin
with, and is drawn where several workloads were measured in both passes.
"""
from matplotlib.patches import Patch, Rectangle

import heatmap
import style
from results import NotApplicable, number, unique

NAME = "time_peak_map"
PANELS = (("ns_per_op", "speed", "ns", "time per operation"), ("rss_peak_bytes", "memory", "bytes", "peak resident memory"))
FEWEST_ROWS = 6
# Inches: a cell's width, a row's height, a letter of a row's name, room for the last name over a column.
CELL, LINE, LETTER, RIGHT = 0.56, 0.25, 0.068, 0.3
MOST_INCHES = (10.6, 12.0)  # at style.DPI 1,590 by 1,800 pixels


def short_ratio(value):
    """At most four letters, since a cell is narrow."""
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def cell(statistic, unit):
    """(text, face colour, hatch, is a failure): as heatmap.cell, with a ratio's digits alone; pure."""
    text, face, hatch, failure = heatmap.cell(statistic, unit)
    middle = number(((statistic or {}).get("ratio") or {}).get("median"))
    if middle > 0 and (statistic.get("failed") or 0) == 0:
        text = short_ratio(middle)
    return text, face, hatch, failure


def rows_of(results):
    """(workload, variant) in the file's order of those that both panels have a figure or a failure of."""
    places = [unique((s.get("workload"), s.get("variant")) for s in results.statistics
                     if (s.get("metric"), s.get("pass")) == panel[:2]) for panel in PANELS]
    return [place for place in places[0] if place in places[1]]


def labels_of(results):
    """Allocators as columns, all but the baseline, whose own figures head each row."""
    return [label for label in style.ordered(s.get("allocator", "") for s in results.statistics)
            if label != results.baseline]


def parts(rows, most):
    """The rows in as few pictures as they fit into, each about as long."""
    count = -(-len(rows) // most)
    return [rows[i * len(rows) // count:(i + 1) * len(rows) // count] for i in range(count)]


def draw(results):
    rows, labels = rows_of(results), labels_of(results)
    if len(rows) < FEWEST_ROWS or not labels:
        raise NotApplicable("fewer workloads than make a picture of a group")
    most = int((MOST_INCHES[1] - 2.3) / LINE)
    index = {tuple(s.get(k) for k in ("workload", "variant", "pass", "metric", "allocator")): s
             for s in results.statistics}
    made = parts(rows, most)
    for i, part in enumerate(made):
        of = f" ({i + 1} of {len(made)})" if len(made) > 1 else ""
        yield NAME + (f"-{i + 1}" if i else ""), picture(results, index, labels, part, of)


def picture(results, index, labels, rows, of):
    names = [f"{workload} {variant}" for workload, variant in rows]
    left = max(len(name) for name in names) * LETTER + 0.25
    columns = len(labels) + 1
    width = min(MOST_INCHES[0], left + 2 * columns * CELL + RIGHT + 0.1)
    figure, axes = style.plt.subplots(1, 2, sharey=True, figsize=(width, len(rows) * LINE + 2.3))
    for axis, panel in zip(axes, PANELS):
        draw_panel(axis, panel, results, index, labels, rows)
    for y, name in enumerate(names):
        axes[0].text(-0.15, y + 0.5, name, ha="right", va="center", fontsize=8)
    keys = [Patch(facecolor=heatmap.BETTER, label="better"), Patch(facecolor=heatmap.WORSE, label="worse"),
            Patch(facecolor=heatmap.GREY, label="equal"),
            Patch(facecolor=heatmap.GREY, hatch="////", edgecolor="#AAAAAA", label="cannot tell yet"),
            Patch(facecolor=heatmap.GREY, hatch="...", edgecolor="#AAAAAA", label="one round: no interval")]
    style.finish(figure, results, f"Time and peak memory as ratio to {results.baseline}{of}",
                 f"The column {results.baseline} has its own medians. ✕ trials failed; – not measured. Full colour at "
                 "4 times.")
    figure.subplots_adjust(left=left / width, right=1 - RIGHT / width, wspace=0.04)
    style.key_row(figure, keys)
    return figure


def draw_panel(axis, panel, results, index, labels, rows):
    metric, pass_, unit, title = panel
    for y, place in enumerate(rows):
        for x, label in enumerate([results.baseline, *labels]):
            text, face, hatch, failure = cell(index.get((*place, pass_, metric, label)), unit)
            axis.add_patch(Rectangle((x, y), 1, 1, facecolor=face, edgecolor="white", linewidth=1))
            if hatch:
                axis.add_patch(Rectangle((x + .03, y + .06), .94, .88, fill=False, hatch=hatch, edgecolor="#BBBBBB",
                                         linewidth=0))
            dark = not isinstance(face, str) and 0.3 * face[0] + 0.59 * face[1] + 0.11 * face[2] < 0.5
            box = {"facecolor": face, "edgecolor": "none", "pad": 0.6} if hatch else None
            axis.text(x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=6.4 if x == 0 else 7.5, bbox=box,
                      weight="bold" if failure else None, color="#B00000" if failure else "white" if dark else style.INK)
    axis.set_xlim(0, len(labels) + 1)
    axis.set_ylim(len(rows), 0)
    axis.set_xticks([i + 0.5 for i in range(len(labels) + 1)],
                    [style.wrapped(name, 11) for name in (results.baseline, *labels)], fontsize=7.2, rotation=35,
                    ha="left", rotation_mode="anchor")
    axis.xaxis.tick_top()
    axis.set_yticks([])
    axis.set_title(title, pad=6, fontsize=9.5)
    axis.grid(False)
    axis.tick_params(length=0, pad=1)
    for side in axis.spines.values():
        side.set_visible(False)
