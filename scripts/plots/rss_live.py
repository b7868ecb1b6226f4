"""Plot (a): RSS and live bytes over the operations of a workload, the gap between them shaded; a panel an allocator.

A mark at the foot shows where the break was lower in a sample than in the one before: exact for this very
trial, but trims between two samples that are grown over again are not seen, hence the ledger's total beside it.
"""
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

import style
from results import Absent, column, number, table_of

NAME = "rss_live"


def draw(results):
    """Yields (name, figure), one a workload variant."""
    chosen = {}
    for record in results.trials(pass_="memory"):
        if record.get("workload") != "tutorial":
            group = chosen.setdefault((record.get("workload"), record.get("variant")), {})
            old = group.get(record.get("allocator"))
            if old is None or (table_of(old, "samples") is None and table_of(record, "samples")):
                group[record.get("allocator")] = record
    chosen = {key: group for key, group in chosen.items() if any(table_of(r, "samples") for r in group.values())}
    if not chosen:
        raise Absent("no memory trial has a table 'samples'")
    for (workload, variant), group in chosen.items():
        yield f"{NAME}-{workload}-{variant}", one(results, workload, variant, group)


def one(results, workload, variant, group):
    labels = style.ordered(group)
    figure, axes = style.panels(len(labels), columns=2, height=2.25, sharex=True, sharey=True)
    top = last = 1.0
    for axis, label in zip(axes, labels):
        record, look = group[label], style.look(label)
        table = table_of(record, "samples")
        failed = "" if record.get("outcome") == "ok" else f" ✕ {record.get('outcome')}"
        axis.set_title(f"{label}{failed}{ledger_total(results, workload, variant, label)}", loc="left",
                       fontsize=9.5 if len(label) < 20 else 8.5, color="#B00000" if failed else style.INK)
        if table is None:
            axis.text(0.5, 0.5, failed.strip() or "no samples", transform=axis.transAxes, ha="center", color="#B00000")
            continue
        x, live, rss = (column(table, c) for c in ("operation", "live_bytes", "rss_bytes"))
        breaks = column(table, "break_offset")
        if any(r == r and v == v for r, v in zip(rss, live)):  # an area of NaNs alone breaks the layout
            axis.fill_between(x, live, rss, color=look["color"], alpha=0.22, linewidth=0)
        axis.plot(x, live, color="#555555", linewidth=1.1, linestyle=(0, (3, 1.5)))
        axis.plot(x, rss, color=look["color"], linewidth=1.5)
        trims = [x[i] for i in range(1, len(x)) if breaks[i] < breaks[i - 1]]
        if trims:
            axis.plot(trims, [0.03] * len(trims), linestyle="none", marker="v", markersize=5, color=look["color"],
                      markeredgecolor="white", markeredgewidth=0.4, transform=axis.get_xaxis_transform(),
                      clip_on=False)
        top = max([top] + [v for v in rss + live if v == v])
        last = max([last] + [v for v in x if v == v])
    axes[0].set_ylim(0, top * 1.08)
    axes[0].set_xlim(0, last * 1.03)
    for i, axis in enumerate(axes):
        style.byte_axis(axis.yaxis, top)
        axis.xaxis.set_major_formatter(style.TickLabels(style.count_text))
        axis.tick_params(labelbottom=i + 2 >= len(axes))
        if i + 2 >= len(axes):
            axis.set_xlabel("operations")
    keys = [Line2D([], [], color="#555555", linestyle=(0, (3, 1.5)), label="live bytes"),
            Line2D([], [], color=style.INK, label="RSS"), Patch(color="#888888", alpha=0.35, label="held, not live"),
            Line2D([], [], color=style.INK, linestyle="none", marker="v", label="break lowered (trim)")]
    style.finish(figure, results, f"{workload} {variant}: what each allocator holds beyond what lives",
                 "Memory pass, one trial each, net of the process's own memory. Triangles: the break was lower than "
                 "in the sample before, in this very trial; trims regrown between two samples do not show. The "
                 "number of trims in a title is the ledger pass's, from another, often shorter trial of the same heap.")
    style.key_row(figure, keys)
    return figure


def ledger_total(results, workload, variant, label):
    """The exact number of trims of a ledger trial of the same heap, for the panel's title."""
    for record in results.trials(workload, "ledger"):
        if (record.get("variant"), record.get("allocator")) == (variant, label):
            trims = number((record.get("metrics") or {}).get("trims"))
            if record.get("outcome") == "ok" and trims == trims:
                return f"  ({trims:.0f} trim{'' if trims == 1 else 's'} in the ledger)"
    return ""
