"""Plot (e): break and RSS by step of the tutorial, a panel an allocator; below each panel its claims.

Break is a step line, RSS has a hollow mark before the first touch and a full one after. A claim's cell says
+ holds, ✕ fails, ? not measured; all from the table 'claims' of a memory trial.
"""
import math

from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

import style
from results import Absent, column, table_of

NAME = "tutorial_steps"
CLAIM_COUNT = 12
CLAIM_LOOK = {True: ("#0072B2", "+", "white"), False: ("#E69F00", "✕", "#222222"), None: ("#E8E8E8", "?", "#555555")}


def claims(table):
    """claim number -> True, False, or None where it was not measured; pure."""
    found = {n: None for n in range(1, CLAIM_COUNT + 1)}
    if table:
        for claim, holds in zip(column(table, "claim"), column(table, "holds")):
            if claim in found:
                found[int(claim)] = None if math.isnan(holds) else holds > 0
    return found


def draw(results):
    group = {}
    for record in results.trials("tutorial"):
        if table_of(record, "steps") or record.get("outcome") != "ok":
            old = group.get(record.get("allocator"))
            if old is None or not table_of(old, "steps"):
                group[record.get("allocator")] = record
    if not any(table_of(r, "steps") for r in group.values()):
        raise Absent("no tutorial trial has a table 'steps'")
    labels = style.ordered(group)
    figure, axes = style.panels(len(labels), columns=2, height=2.7, width=5.2, sharey=True)
    top = 1.0
    for axis, label in zip(axes, labels):
        record, look = group[label], style.look(label)
        table = table_of(record, "steps")
        failed = "" if record.get("outcome") == "ok" else f" ✕ {record.get('outcome')}"
        axis.set_title(label + failed, loc="left", color="#B00000" if failed else style.INK)
        for n, holds in claims(table_of(record, "claims")).items():
            face, text, ink = CLAIM_LOOK[holds]
            left = (n - 1) / CLAIM_COUNT
            axis.add_patch(Rectangle((left, -0.36), 1 / CLAIM_COUNT, 0.15, transform=axis.transAxes, clip_on=False,
                                     facecolor=face, edgecolor="white"))
            axis.text(left + 0.5 / CLAIM_COUNT, -0.285, f"{n}{text}", transform=axis.transAxes, ha="center",
                      va="center", fontsize=8, color=ink)
        if not table:
            axis.text(0.5, 0.5, failed.strip(), transform=axis.transAxes, ha="center", color="#B00000")
            axis.set_xticks([])
            continue
        steps, touched, rss, top_break = (column(table, c) for c in ("step", "touched", "rss_bytes", "break_offset"))
        x = [s + (0.25 if t else -0.25) for s, t in zip(steps, touched)]
        axis.plot(x, top_break, drawstyle="steps-post", color="#777777", linestyle=(0, (4, 1.5)), linewidth=1.3)
        axis.plot(x, rss, color=look["color"], linewidth=1.3)
        for after, face in ((0, "white"), (1, look["color"])):
            axis.plot([a for a, t in zip(x, touched) if t == after], [v for v, t in zip(rss, touched) if t == after],
                      linestyle="none", marker=look["marker"], markersize=6 if look["marker"] == "*" else 4.5,
                      markerfacecolor=face, markeredgecolor=look["color"], markeredgewidth=0.9)
        top = max([top] + [v for v in rss + top_break if not math.isnan(v)])
        axis.set_xticks(sorted(set(steps)))
        axis.xaxis.set_major_formatter("{x:g}")
        axis.tick_params(labelsize=8)
    axes[0].set_ylim(min(0, axes[0].get_ylim()[0]), top * 1.08)
    style.byte_axis(axes[0].yaxis, top)
    keys = [Line2D([], [], color="#777777", linestyle=(0, (4, 1.5)), label="program break"),
            Line2D([], [], color=style.INK, marker="o", markerfacecolor="white", markersize=5, label="RSS untouched"),
            Line2D([], [], color=style.INK, marker="o", markersize=5, label="RSS touched")]
    keys += [Patch(facecolor=face, label=f"claim {word} ({text})") for (face, text, _), word in
             zip(CLAIM_LOOK.values(), ("holds", "fails", "not measured"))]
    said = next((table_of(group[a], "steps") for a in labels if table_of(group[a], "steps")), {})
    words = {}
    for row, text in zip(said.get("rows", []), said.get("texts") or []):
        words.setdefault(number_text(row[said["columns"].index("step")]), text)
    legend = "; ".join(f"{step} {text}" for step, text in words.items() if text)
    style.finish(figure, results, "The tutorial step by step: what the break and the RSS do, and which claims hold",
                 "Across: the step. The strip under each panel: claims 1 to 12. Bytes above the start."
                 + (f" Steps: {legend}." if legend else ""))
    style.key_row(figure, keys)
    yield NAME, figure


def number_text(value):
    return f"{value:g}" if isinstance(value, (int, float)) else "?"
