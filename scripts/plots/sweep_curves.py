"""Plot (f): what a threshold does: each figure over its values, a line for each setting of the other tunables.

The band is the interval; the dashed line is the allocator at its defaults, for glibc with its dynamic thresholds, which
every point of the lines has switched off.
"""
import itertools
import math

from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator

import style
import sweeps
from results import number, unique

NAME = "sweep_curves"
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D00", "#6A3D9A"]


def band(statistic):
    """(median, low, high), low and high the median where there is no interval; None where nothing was measured."""
    middle = number((statistic or {}).get("median"))
    if math.isnan(middle):
        return None
    low, high = (number(statistic.get(key)) for key in ("low", "high"))
    return middle, middle if math.isnan(low) else low, middle if math.isnan(high) else high


def place_of(values):
    """Where each written value stands on the axis: log2 of what is above zero, zero and below left of that."""
    positive = [sweeps.value_of(v) for v in values if sweeps.value_of(v) > 0]
    first = math.log2(min(positive)) if positive else 0.0
    rest = [v for v in values if not sweeps.value_of(v) > 0]
    step = max(1.0, (math.log2(max(positive)) - first) / 8) if positive else 1.0
    return {
        v: math.log2(sweeps.value_of(v)) if sweeps.value_of(v) > 0 else first - step * (len(rest) - rest.index(v))
        for v in values
    }


def lines_of(sweep, along):
    """[(name, {value: label})]: a line for each combination of the other tunables."""
    others = [name for name in sweep.tunables if name != along]
    lines = []
    for values in itertools.product(*(sweep.tunables[name] for name in others)):
        chosen = dict(zip(others, values))
        points = {value: sweep.label({**chosen, along: value}) for value in sweep.tunables[along]}
        lines.append(
            (", ".join(f"{n} {v}" for n, v in chosen.items()) or along, {v: p for v, p in points.items() if p})
        )
    return lines


def draw(results):
    """Yields a figure for each workload variant and each tunable with three values or more."""
    sweep = sweeps.Sweep(results)
    for workload, variant in unique((s.get("workload"), s.get("variant")) for s in results.statistics):
        panels = sweeps.panels_of(results, workload, variant)
        for along in sweep.tunables:
            if panels and len(sweep.tunables[along]) >= 3:
                yield f"{NAME}-{workload}-{variant}-{along}", one(results, sweep, workload, variant, along, panels)


def scale(axis, every, unit):
    """A log axis where the values differ by more than six times, else one from zero."""
    labels = style.TickLabels(lambda value, digits=style.DIGITS: sweeps.quantity(value, unit, digits))
    positive = [value for value in every if value > 0]
    if positive and min(every) > 0 and max(positive) / min(positive) > 6:
        axis.set_yscale("log")
        axis.yaxis.set_minor_locator(style.plt.NullLocator())
        axis.yaxis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter(labels)
        return
    axis.yaxis.set_major_formatter(labels)
    axis.set_ylim(0, max(every, default=1) * 1.06 or 1)
    if unit == "bytes":
        style.byte_axis(axis.yaxis, max(every))


def one(results, sweep, workload, variant, along, panels):
    figure, axes = style.panels(len(panels), width=4.6, height=2.7)
    places = place_of(sweep.tunables[along])
    lines = lines_of(sweep, along)
    for axis, (metric, pass_, title, unit) in zip(axes, panels):
        every = []
        for (_, points), colour in zip(lines, itertools.cycle(COLOURS)):
            found = {
                v: band(results.statistic(workload, variant, pass_, metric, label)) for v, label in points.items()
            }
            good = [(places[v], *b) for v, b in found.items() if b]
            every += [value for row in good for value in row[1:]]
            axis.plot(
                [g[0] for g in good],
                [g[1] for g in good],
                color=colour,
                marker="o",
                markersize=3.5,
                linewidth=1.4,
                zorder=3,
            )
            axis.fill_between(
                [g[0] for g in good], [g[2] for g in good], [g[3] for g in good], color=colour, alpha=0.2, linewidth=0
            )
            failed = [places[v] for v, b in found.items() if not b]
            if failed:
                axis.plot(
                    failed,
                    [0.04] * len(failed),
                    "x",
                    color=colour,
                    markersize=8,
                    transform=axis.get_xaxis_transform(),
                )
        base = band(results.statistic(workload, variant, pass_, metric, sweep.base))
        if base:
            every += base
            axis.axhline(base[0], color=style.INK, linestyle=(0, (4, 2)), linewidth=1.3, zorder=2)
            axis.axhspan(base[1], base[2], color=style.INK, alpha=0.12, linewidth=0)
        scale(axis, every, unit)
        default = sweep.default_place(along, places)
        if default is not None:
            axis.axvline(default, color=style.INK, linestyle=":", linewidth=1, zorder=1)
        axis.set_xticks(list(places.values()), list(places), fontsize=8, rotation=0 if len(places) < 9 else 45)
        axis.set_title(title, loc="left")
        axis.set_xlabel(along)
    keys = [
        Line2D([], [], color=colour, marker="o", markersize=3.5, label=name)
        for (name, _), colour in zip(lines, itertools.cycle(COLOURS))
    ]
    keys.append(Line2D([], [], color=style.INK, linestyle=(0, (4, 2)), label=sweep.defaults_name()))
    style.finish(
        figure,
        results,
        f"{sweep.name}: what {along} does ({workload} {variant})",
        "Medians over the rounds with their 95 % interval as a band; log2 axis of the tunable, values at or below zero "
        "left of it; ✕ every trial failed. The dashed line is the allocator with nothing set, the dotted one the "
        f"value that {along} has by default.",
    )
    style.key_row(figure, keys)
    return figure
