"""Plot (g): two tunables at once: each figure as ratio to the allocator's defaults, a cell for each pair of values."""
from matplotlib.patches import Patch, Rectangle

import heatmap
import style
import sweeps
from results import unique

NAME = "sweep_map"


def draw(results):
    """Yields a figure for each workload variant of a sweep of exactly two tunables."""
    sweep = sweeps.Sweep(results)
    if len(sweep.tunables) != 2 or min(len(values) for values in sweep.tunables.values()) < 2:
        return
    for workload, variant in unique((s.get("workload"), s.get("variant")) for s in results.statistics):
        panels = [
            p
            for p in sweeps.panels_of(results, workload, variant)
            if (results.statistic(workload, variant, p[1], p[0], sweep.base) or {}).get("median")
        ]
        if panels:
            yield f"{NAME}-{workload}-{variant}", one(results, sweep, workload, variant, panels)


def one(results, sweep, workload, variant, panels):
    (x_name, xs), (y_name, ys) = sorted(sweep.tunables.items(), key=lambda item: -len(item[1]))
    figure, axes = style.panels(len(panels), width=0.72 * len(xs) + 1.2, height=0.42 * len(ys) + 1.0)
    for axis, (metric, pass_, title, unit) in zip(axes, panels):
        for column, x in enumerate(xs):
            for row, y in enumerate(ys):
                label = sweep.label({x_name: x, y_name: y})
                text, face, hatched, failure = heatmap.cell(
                    results.statistic(workload, variant, pass_, metric, label) if label else None, unit
                )
                axis.add_patch(Rectangle((column, row), 1, 1, facecolor=face, edgecolor="white", linewidth=1))
                if hatched:
                    axis.add_patch(
                        Rectangle(
                            (column + 0.03, row + 0.05),
                            0.94,
                            0.9,
                            fill=False,
                            hatch="////",
                            edgecolor="#BBBBBB",
                            linewidth=0,
                        )
                    )
                dark = not isinstance(face, str) and 0.3 * face[0] + 0.59 * face[1] + 0.11 * face[2] < 0.5
                axis.text(
                    column + 0.5,
                    row + 0.5,
                    text,
                    ha="center",
                    va="center",
                    fontsize=8,
                    bbox={"facecolor": face, "edgecolor": "none", "pad": 0.8} if hatched else None,
                    color="#B00000" if failure else "white" if dark else style.INK,
                )
        axis.set_xlim(0, len(xs))
        axis.set_ylim(0, len(ys))
        axis.set_xticks([i + 0.5 for i in range(len(xs))], xs, fontsize=8)
        axis.set_yticks([i + 0.5 for i in range(len(ys))], ys, fontsize=8)
        axis.grid(False)
        axis.tick_params(length=0)
        base = results.statistic(workload, variant, pass_, metric, sweep.base)
        axis.set_title(f"{title}  (1× = {sweeps.quantity(base['median'], unit)})", loc="left", fontsize=9)
        axis.set_xlabel(x_name)
        axis.set_ylabel(y_name)
    keys = [
        Patch(facecolor=heatmap.BETTER, label="better than the defaults"),
        Patch(facecolor=heatmap.WORSE, label="worse"),
        Patch(facecolor=heatmap.GREY, hatch="////", edgecolor="#AAAAAA", label="cannot tell yet"),
        Patch(facecolor=heatmap.GREY, label="equal / neither is better"),
    ]
    style.finish(
        figure,
        results,
        f"{sweep.name}: {x_name} and {y_name} as ratio to {sweep.defaults_name()} ({workload} {variant})",
        "Median of the paired ratios. ✕ trials failed; – not measured. Full colour at 4 times.",
    )
    style.key_row(figure, keys)
    return figure
