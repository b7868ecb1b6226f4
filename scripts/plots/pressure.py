"""Plot: time and major faults against the memory limit, one line an allocator (pressure pass).

Medians over the rounds; limits are shares of the baseline's peak, the same for all allocators. A line that ends early
is of an allocator that did not complete at the narrower limits: a cross marks the first of them.
"""
from statistics import median

from matplotlib.lines import Line2D

import style
from results import NotApplicable, number, unique

NAME = "pressure"
FIGURES = [("ns_per_op", "time per operation", style.time_text), ("major_faults", "major faults", style.count_text)]


def draw(results):
    """Yields (name, figure), one a workload variant."""
    trials = [r for r in results.trials(pass_="pressure") if isinstance(r.get("pressure"), dict)]
    limited = [r for r in trials if share_of(r) > 0]
    if not limited:
        raise NotApplicable("no trial of the pressure pass had a limit")
    for workload, variant in unique((r.get("workload"), base_of(r)) for r in limited):
        group = [r for r in trials if (r.get("workload"), base_of(r)) == (workload, variant)]
        yield f"{NAME}-{workload}-{variant}", one(results, workload, variant, group)


def base_of(record):
    """'small-1t@0.9' -> 'small-1t'."""
    return str(record.get("variant")).rsplit("@", 1)[0]


def share_of(record):
    share = number(record["pressure"].get("limit_share"))
    return share if share == share else 0


def medians(group, label, metric):
    """{share: median} of the trials that ended well, and the shares at which none did. Without a limit: share 0."""
    values, shares = {}, set()
    for record in group:
        if record.get("allocator") != label:
            continue
        shares.add(share_of(record))
        value = number((record.get("metrics") or {}).get(metric))
        if record.get("outcome") == "ok" and value == value:
            values.setdefault(share_of(record), []).append(value)
    return {share: median(found) for share, found in values.items()}, shares - set(values)


def one(results, workload, variant, group):
    labels = style.ordered({r.get("allocator") for r in group})
    shares = sorted({share_of(r) for r in group} - {0}, reverse=True)
    places = {0: 0, **{share: at + 1 for at, share in enumerate(shares)}}
    figure, axes = style.panels(len(FIGURES), columns=2, height=3.4)
    for axis, (metric, title, text) in zip(axes, FIGURES):
        largest = 0
        for label in labels:
            found, failed = medians(group, label, metric)
            look = style.look(label)
            x = [places[share] for share in sorted(found, key=places.get)]
            y = [found[share] for share in sorted(found, key=places.get)]
            axis.plot(x, y, marker=look["marker"], color=look["color"], linestyle=look["linestyle"], linewidth=1.3,
                      markersize=4.5)
            largest = max([largest, *y])
            after = [places[share] for share in failed if x and places[share] > x[-1]]
            if after:
                axis.plot([min(after)], [y[-1]], marker="x", color=look["color"], linestyle="none")
        axis.set_title(title, loc="left")
        if largest > 0:
            axis.set_yscale("log" if metric == "ns_per_op" else "symlog")
        axis.yaxis.set_major_formatter(style.TickLabels(text))
        axis.set_xticks(list(places.values()), ["no limit", *(f"{share:g}" for share in shares)])
        axis.set_xlabel(f"limit over {results.baseline}'s peak")
    swap = ", ".join(unique(str(r["pressure"].get("swap")) for r in group if r["pressure"].get("swap")))
    style.finish(figure, results, f"{workload} {variant}: when memory is short",
                 f"Pressure pass, medians over the rounds, swap: {swap or 'not known'}. A cross: did not complete at "
                 "this limit.")
    style.key_row(figure, [Line2D([], [], color=style.look(label)["color"], linestyle=style.look(label)["linestyle"],
                                  marker=style.look(label)["marker"], label=style.wrapped(label)) for label in labels])
    return figure
