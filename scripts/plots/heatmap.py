"""Plot (c): metrics over the allocators as ratio to the baseline: the deciding ones, and all of a variant.

Colour: better blue, worse orange, all else grey. Hatched: it cannot be told yet how it compares; dotted: there was one
round, which has no interval. Cross: every trial failed. Dash: not measured. Where no ratio can be formed (a baseline of 0), the absolute median in grey.
"""
import math

from matplotlib.patches import Patch, Rectangle

import style
from results import Absent, number, unique

NAME = "heatmap"
BETTER, WORSE, GREY = (0.0, 0.447, 0.698), (0.902, 0.490, 0.0), (0.92, 0.92, 0.92)
LINES_A_PICTURE = 44
OPEN = ("cannot tell", "no difference", "undecided")  # the last two in files of schema 1


def shade(ratio, verdict):
    """The hue tells better from worse, its strength how far the ratio is from 1 (full at 4 times)."""
    if verdict not in ("better", "worse"):
        return GREY
    strength = 0.25 + 0.75 * min(1.0, abs(math.log2(ratio)) / 2)
    return tuple(1 - strength * (1 - part) for part in (BETTER if verdict == "better" else WORSE))


def hatch_of(ratio, better):
    """What says that a ratio is no verdict: "////" not yet, "..." not from one round; None where it is one, or where
    neither direction is better."""
    if better == "neither" or ratio.get("verdict") not in OPEN:
        return None
    return "..." if math.isnan(number(ratio.get("low"))) else "////"


def cell(statistic, unit, better="lower"):
    """(text, face colour, hatch, is a failure) of one statistic; pure."""
    if statistic is None:
        return "–", "white", None, False
    median = number(statistic.get("median"))
    if not statistic.get("count") and (statistic.get("failed") or 0) > 0:
        return "✕", "#F6D5D5", None, True
    mark = " ✕" if (statistic.get("failed") or 0) > 0 else ""
    ratio = statistic.get("ratio") or {}
    middle = number(ratio.get("median"))
    if middle > 0:
        return f"{style.count_text(middle)}×{mark}", shade(middle, ratio.get("verdict")), hatch_of(ratio, better), False
    if median == median:
        return style.quantity_text(median, unit) + mark, GREY, None, False
    return "–", "white", None, False


def draw(results, overview=False):
    """Yields (name, figure): the headline metrics of all variants, then, but for an overview, every metric of each variant.
    What would be taller than a screen goes on in a further picture, -2, -3 and so on."""
    places = unique((s.get("workload"), s.get("variant")) for s in results.statistics)
    if not places:
        raise Absent("the file has no statistics")
    yield from pictures(NAME, results, places, "The deciding metrics", headlines_only=True)
    for place in [] if overview else places:
        yield from pictures(f"{NAME}-{place[0]}-{place[1]}", results, [place], f"{place[0]} {place[1]}: every metric")


def pages(blocks, most):
    """Lists of rows put together, in order, into pages of at most `most` lines, each block with a line for its name; a
    block that is longer than a page is cut. Pure."""
    made = [[]]
    for block in blocks:
        for start in range(0, len(block), most - 1):
            part = block[start:start + most - 1]
            if made[-1] and sum(len(b) + 1 for b in made[-1]) + len(part) + 1 > most:
                made.append([])
            made[-1].append(part)
    return made


def pictures(name, results, places, title, headlines_only=False):
    index, labels, rows = rows_of(results, places, headlines_only)
    blocks = [[row for row in rows if row[:2] == place] for place in places]
    made = pages([block for block in blocks if block], LINES_A_PICTURE)
    for i, page in enumerate(made):
        of = f" ({i + 1} of {len(made)})" if len(made) > 1 else ""
        yield name + (f"-{i + 1}" if i else ""), one(results, index, labels, page, title + of)


def one_pass_each(rows, shown, info_of):
    """Keeps, of each place's metric, the row of the pass that tables show, and of a file of schema 1, which does not
    say so, the first; leaves out what only some allocators can tell."""
    chosen = {}
    for row in rows:
        workload, variant, _, metric = row
        if info_of(workload, metric).get("passes") != [] and (row in shown or not shown):
            chosen.setdefault((workload, variant, metric), row)
    return list(chosen.values())


def rows_of(results, places, headlines_only):
    """({row and allocator: statistic}, allocators, rows) of these places."""
    mine = [s for s in results.statistics if (s.get("workload"), s.get("variant")) in places]
    key = ("workload", "variant", "pass", "metric")
    index = {(*(s.get(k) for k in key), s.get("allocator")): s for s in mine}
    labels = style.ordered([s.get("allocator", "") for s in mine] + [
        a for a, about in results.allocators.items() if not (about or {}).get("skipped")])
    shown = {tuple(s.get(k) for k in key) for s in mine if s.get("shown")}
    rows = one_pass_each(unique(tuple(s.get(k) for k in key) for s in mine), shown, results.info)
    if headlines_only:
        rows = [row for row in rows if results.info(row[0], row[3]).get("headline")]
    return index, labels, rows


def one(results, index, labels, blocks, title):
    lines = [line for block in blocks for line in (f"{block[0][0]} {block[0][1]}", *block)]
    figure, axis = style.plt.subplots(figsize=(3.6 + 1.02 * len(labels), 0.27 * len(lines) + 2.6))
    for y, line in enumerate(lines):
        if isinstance(line, str):
            axis.text(-0.1, y + 0.6, line, ha="right", va="center", weight="bold", fontsize=9.5)
            continue
        info = results.info(line[0], line[3])
        axis.text(-0.1, y + 0.5, f"{line[3]} · {line[2]}", ha="right", va="center", fontsize=8)
        for x, label in enumerate(labels):
            text, face, hatch, failure = cell(index.get((*line, label)), info.get("unit"), info.get("better"))
            axis.add_patch(Rectangle((x, y), 1, 1, facecolor=face, edgecolor="white", linewidth=1))
            if hatch:
                axis.add_patch(Rectangle((x + .02, y + .05), .96, .9, fill=False, hatch=hatch, edgecolor="#BBBBBB",
                                         linewidth=0))
            dark = not isinstance(face, str) and 0.3 * face[0] + 0.59 * face[1] + 0.11 * face[2] < 0.5
            box = {"facecolor": face, "edgecolor": "none", "pad": 0.8} if hatch else None
            axis.text(x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=8, bbox=box,
                      weight="bold" if failure else None, color="#B00000" if failure else "white" if dark else style.INK)
    axis.set_xlim(0, len(labels))
    axis.set_ylim(len(lines), 0)
    axis.set_xticks([i + 0.5 for i in range(len(labels))], [style.wrapped(a, 15) for a in labels], fontsize=8)
    axis.xaxis.tick_top()
    axis.set_yticks([])
    axis.grid(False)
    axis.tick_params(length=0)
    for side in axis.spines.values():
        side.set_visible(False)
    keys = [Patch(facecolor=BETTER, label="better"), Patch(facecolor=WORSE, label="worse"),
            Patch(facecolor=GREY, label="equal / neither is better / absolute value"),
            Patch(facecolor=GREY, hatch="////", edgecolor="#AAAAAA", label="cannot tell yet"),
            Patch(facecolor=GREY, hatch="...", edgecolor="#AAAAAA", label="one round: no interval")]
    style.finish(figure, results, f"{title} as ratio to {results.baseline}",
                 "A number with × is the median paired ratio; without × the median itself, where no ratio can be "
                 "formed (the baseline itself, a zero). ✕ trials failed; – not measured. Full colour at 4 times.")
    style.key_row(figure, keys)
    return figure
