"""Plot (h), of a tuning report: every candidate's time against its memory, the front, and what is recommended.

Both axes are ratios to the defaults, which stand at 1; down and left is better. Decisions are the report's.
"""
import textwrap

from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

import style

NAME = "pareto"
AXES = {"time": "time", "rss": "memory (RSS)", "faults": "minor faults", "failed": "refused requests (+1)",
        "p999": "time of one call in a thousand", "pressure_time": "time under pressure"}
FRONT, CHOICE = "#0072B2", "#D55E00"


def settings(tunables):
    return ", ".join(f"{name} {value}" for name, value in tunables.items()) or "the defaults"


def bounds(ratio):
    """(median, low, high); a lone round has no interval."""
    return ratio["median"], ratio.get("low") or ratio["median"], ratio.get("high") or ratio["median"]


def cross(axis, x, y, **look):
    axis.errorbar(
        x[0],
        y[0],
        xerr=[[max(0, x[0] - x[1])], [max(0, x[2] - x[0])]],
        yerr=[[max(0, y[0] - y[1])], [max(0, y[2] - y[0])]],
        **look,
    )


def panel(axis, report, first, second):
    candidates = [
        c for c in report["candidates"] if first in c["ratios"] and second in c["ratios"] and c["state"] != "failed"
    ]
    noise, choice, check = report["noise"], report["recommendation"], report["check"]
    axis.set_xscale("log")
    axis.set_yscale("log")
    spans = ([1.0], [1.0])
    for c in candidates:
        x, y = bounds(c["ratios"][first]), bounds(c["ratios"][second])
        on_front = c["on_front"]
        # The far end of what nobody would choose must not squeeze the rest: only the front's intervals set the scale.
        for span, of in zip(spans, (x, y)):
            span += of if on_front else of[:1]
        cross(
            axis,
            x,
            y,
            fmt="o",
            markersize=6 if on_front else 3.5,
            color=FRONT if on_front else "#9A9A9A",
            elinewidth=0.8 if on_front else 0.3,
            markeredgecolor="white",
            markeredgewidth=0.4,
            zorder=4 if on_front else 2,
        )
    across, up = (noise.get(name, {}).get("floor", 0) for name in (first, second))
    axis.add_patch(
        Rectangle(
            (1 / (1 + across), 1 / (1 + up)),
            (1 + across) - 1 / (1 + across),
            (1 + up) - 1 / (1 + up),
            color="#BBBBBB",
            alpha=0.4,
            linewidth=0,
            zorder=1,
        )
    )
    axis.plot(1, 1, marker="D", markersize=7, color=style.INK, zorder=5)
    front = sorted(
        [bounds(c["ratios"][first])[0], bounds(c["ratios"][second])[0]] for c in candidates if c["on_front"]
    )
    if report["defaults_on_front"]:
        front = sorted([*front, [1.0, 1.0]])
    if len(report["objectives"]) == 2:
        axis.plot(
            [x for x, _ in front], [y for _, y in front], drawstyle="steps-post", color=FRONT, linewidth=1, zorder=3
        )
    chosen = next((c for c in candidates if c["number"] == choice["number"]), None)
    if chosen:
        at = [chosen["ratios"][name]["median"] for name in (first, second)]
        axis.annotate(
            "",
            xy=at,
            xytext=(1, 1),
            arrowprops={"arrowstyle": "-|>", "color": CHOICE, "linewidth": 1.6, "shrinkB": 5},
            zorder=6,
        )
        axis.plot(*at, marker="*", markersize=15, color=CHOICE, markeredgecolor="white", zorder=7)
        if check and first in check["ratios"] and second in check["ratios"]:
            x, y = bounds(check["ratios"][first]), bounds(check["ratios"][second])
            for span, of in zip(spans, (x, y)):
                span += of
            cross(axis, x, y, fmt="*", markersize=13, color=CHOICE, markerfacecolor="white", elinewidth=1, zorder=6)
            axis.annotate(
                "",
                xy=(x[0], y[0]),
                xytext=at,
                arrowprops={"arrowstyle": "->", "color": CHOICE, "linestyle": ":", "shrinkA": 7, "shrinkB": 7},
            )
    for scale, span in ((axis.set_xlim, spans[0]), (axis.set_ylim, spans[1])):
        room = max(max(span) / min(span), 1.1) ** 0.08
        scale(min(span) / room, max(span) * room)
    style.ratio_axes(axis)
    axis.set_xlabel(f"{AXES.get(first, first)}, ratio to the defaults")
    axis.set_ylabel(f"{AXES.get(second, second)}, ratio to the defaults")


def number_front(figure, axis, report, first, second):
    """Numbers of the front, each at its mark; what they stand for is in the list."""
    drawn = [c for c in report["candidates"] if first in c["ratios"] and second in c["ratios"] and c["state"] != "failed"]
    at = {id(c): (c["ratios"][first]["median"], c["ratios"][second]["median"]) for c in drawn}
    labelled = [(str(i + 1), *at[id(c)]) for i, c in enumerate(front_of(report)) if id(c) in at]
    ends = [next((c for c in drawn if c["number"] == report["recommendation"]["number"]), None), report["check"]]
    stars = [tuple(one["ratios"][name]["median"] for name in (first, second)) for one in ends
             if one and first in one["ratios"] and second in one["ratios"]]
    style.place_labels(figure, axis, labelled, avoid=[(1, 1), *stars], fontsize=8, color=FRONT, weight="bold", zorder=8)


def front_of(report):
    return sorted(
        (c for c in report["candidates"] if c["on_front"]),
        key=lambda c: c["ratios"][report["objectives"][0]]["median"],
    )


def draw(report):
    """Yields one figure; a panel for each objective after the first."""
    objectives = report["objectives"]
    if len(objectives) < 2:
        objectives = objectives * 2
    listed = [f"{i + 1}  {settings(c['tunables'])}" for i, c in enumerate(front_of(report))]
    listed = [line for text in listed for line in textwrap.wrap(text, 62, subsequent_indent="    ")]
    height = max(4.4, 0.16 * len(listed) + 1.2)
    figure, axes = style.plt.subplots(
        1, len(objectives), figsize=(5.2 * len(objectives), height + 1.4), squeeze=False
    )
    for axis, name in zip(axes[0], objectives[1:]):
        panel(axis, report, objectives[0], name)
    aside = axes[0][-1]
    aside.set_axis_off()
    aside.text(
        0,
        1,
        "On the front\n" + "\n".join(listed or ["nothing but the defaults"]),
        va="top",
        fontsize=8,
        linespacing=1.35,
        transform=aside.transAxes,
    )
    states = [c["state"] for c in report["candidates"]]
    failed = [settings(c["tunables"]) for c in report["candidates"] if c["state"] == "failed"]
    held = report["check"] and (" The check held." if report["check"]["held"] else " The check did not hold.") or ""
    caption = (
        f"{len(states)} candidates on {', '.join(report['workloads'])}, {states.count('stopped')} stopped early as clearly worse. "
        "Medians of paired "
        f"ratios with their 95 % interval; grey box: the defaults against themselves."
        f"{' Failed: ' + '; '.join(failed) + '.' if failed else ''}"
        f"{' ' + report['check']['words'][0].upper() + report['check']['words'][1:] + '.' if report['check'] else ''}{held}"
    )
    title = f"{report['allocator']}: {report['recommendation']['words']}"
    style.finish(figure, AsResults(report), title, caption)
    keys = [
        Line2D([], [], color=style.INK, marker="D", linestyle="none", label="the defaults"),
        Line2D([], [], color=FRONT, marker="o", label="Pareto front"),
        Line2D([], [], color="#9A9A9A", marker="o", markersize=4, linestyle="none", label="other candidates"),
        Patch(color="#BBBBBB", alpha=0.4, label="noise"),
    ]
    if report["recommendation"]["number"] is not None:
        keys.append(Line2D([], [], color=CHOICE, marker="*", markersize=12, linestyle="none",
                           label="recommended" if report["check"] and report["check"]["held"] else "found, not confirmed"))
    if report["check"]:
        keys.append(
            Line2D(
                [],
                [],
                color=CHOICE,
                marker="*",
                markersize=11,
                markerfacecolor="white",
                linestyle="none",
                label="on held-out workloads",
            )
        )
    style.key_row(figure, keys)
    for axis, name in zip(axes[0], objectives[1:]):
        number_front(figure, axis, report, objectives[0], name)
    yield NAME, figure


class AsResults:
    """What the footnote wants to know of a results file."""

    def __init__(self, report):
        self.name = report["file"]
        self.context = {"kernel": report.get("kernel"), "command": report.get("command")}
