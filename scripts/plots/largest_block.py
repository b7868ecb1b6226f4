"""Plot (d): the largest block that could be had by round, against the largest that should fit (limit pass).

A panel a limit variant. Failed trials are named in the panel; a failed one that got some rounds far is drawn so far.
"""
import math

from matplotlib.lines import Line2D

import style
from results import Absent, column, table_of, unique

NAME = "largest_block"


def draw(results):
    trials = results.trials(pass_="limit")
    variants = unique((t.get("workload"), t.get("variant")) for t in trials if table_of(t, "rounds"))
    if not variants:
        raise Absent("no limit trial has a table 'rounds'")
    figure, axes = style.panels(len(variants), width=4.3, height=3.3, columns=3, sharey=True)
    seen, top = [], 1.0
    for axis, variant in zip(axes, variants):
        group = {}
        for trial in trials:
            if (trial.get("workload"), trial.get("variant")) == variant:
                group.setdefault(trial.get("allocator"), trial)
        failures, fits = [], {}
        labels = style.ordered(group)
        for i, label in enumerate(labels):
            table = table_of(group[label], "rounds")
            if group[label].get("outcome") != "ok":
                failures.append(f"✕ {label}: {group[label].get('outcome')}")
            if not table:
                continue
            seen.append(label)
            rounds, should, had = (column(table, c) for c in ("round", "should_fit_bytes", "largest_bytes"))
            for r, fit in zip(rounds, should):
                fits.setdefault(r, []).append(fit)
            shift = (i - (len(labels) - 1) / 2) * 0.07
            look = style.look(label)
            axis.plot([r + shift for r in rounds], had, color=look["color"], marker=look["marker"],
                      linestyle=look["linestyle"], linewidth=1, markersize=8 if look["marker"] == "*" else 6,
                      markeredgecolor="white", markeredgewidth=0.5, zorder=3)
            top = max([top] + [v for v in had + should if not math.isnan(v)])
        for r, values in fits.items():
            known = [v for v in values if not math.isnan(v)]
            if known:
                axis.fill_between([r - 0.42, r + 0.42], min(known), max(known), color="#BBBBBB", linewidth=0)
                axis.plot([r - 0.42, r + 0.42], [max(known)] * 2, color="#555555", linewidth=1.8, zorder=2)
        axis.set_xticks(sorted(fits))
        axis.xaxis.set_major_formatter("{x:g}")
        axis.set_xlabel("round")
        axis.set_title(f"{variant[0]} {variant[1]}" + "".join("\n" + f for f in failures), loc="left", fontsize=9.5)
    axes[0].set_ylabel("largest block")
    axes[0].set_ylim(0, top * 1.12)
    style.byte_axis(axes[0].yaxis, top)
    keys = [Line2D([], [], **style.look(a), label=a, linewidth=1) for a in style.ordered(seen)]
    keys.append(Line2D([], [], color="#555555", linewidth=2, label="should fit"))
    style.finish(figure, results, "The largest block to be had after fragmentation: at the grey bar is all that fits",
                 "Limit pass, one trial each. Marks of a round are moved sideways so that equal ones stay visible. "
                 "Grey bar: budget less live bytes, from the least to the most among the allocators.")
    style.key_row(figure, keys)
    yield NAME, figure
