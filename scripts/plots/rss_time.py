"""Plot (i): what a command's or server's process tree holds over its time; one curve an allocator, one figure a program.

Resident anonymous memory of all processes together, as the memory pass sampled it from outside. Dotted lines are the
bounds of a server's phases; marks at the foot show where processes started (up) and ended (down).
"""
from matplotlib.lines import Line2D

import style
from results import Absent, NotApplicable, column, table_of

NAME = "rss_time"
MOST_MARKS = 60  # more would be a solid bar


def draw(results):
    """Yields (name, figure), one a program."""
    chosen = {}
    for record in results.trials(pass_="memory"):
        if table_of(record, "tree_samples") is None:
            continue
        group = chosen.setdefault((record.get("workload"), record.get("variant")), {})
        old = group.get(record.get("allocator"))
        if old is None or (old.get("outcome") != "ok" and record.get("outcome") == "ok"):
            group[record.get("allocator")] = record
    if not chosen:
        if "command" not in results.plan:
            raise NotApplicable("no command was measured")
        raise Absent("no memory trial has a table 'tree_samples'")
    for (workload, variant), group in chosen.items():
        yield f"{NAME}-{workload}-{variant}", one(results, workload, variant, group)


def one(results, workload, variant, group):
    labels = style.ordered(group)
    figure, axes = style.panels(1, columns=1, height=4.2)
    axis, top, last, keys = axes[0], 1.0, 0.0, []
    for label in labels:
        record, look = group[label], style.look(label)
        table = table_of(record, "tree_samples")
        seconds = [t / 1e9 for t in column(table, "time_ns")]
        rss = column(table, "rss_bytes")
        axis.plot(seconds, rss, color=look["color"], linestyle=look.get("linestyle", "-"), linewidth=1.5)
        failed = "" if record.get("outcome") == "ok" else f" ✕ {record.get('outcome')}"
        keys.append(Line2D([], [], color=look["color"], linestyle=look.get("linestyle", "-"), label=label + failed))
        top, last = max([top, *(v for v in rss if v == v)]), max([last, *seconds])
    first = group[labels[0]]
    draw_phases(axis, first)
    draw_marks(axis, first)
    axis.set_ylim(0, top * 1.08)
    axis.set_xlim(0, last * 1.02 or 1)
    axis.set_xlabel("seconds since its start")
    style.byte_axis(axis.yaxis, top)
    style.finish(figure, results, f"{workload}: what its processes hold over time",
                 "Memory pass, one trial each: anonymous memory of the whole process tree, sampled from outside "
                 f"(smaps_rollup, or memory.stat of a cgroup). Marks of processes and phases are of the trial on {labels[0]}.")
    style.key_row(figure, keys)
    return figure


def draw_phases(axis, record):
    """A line where each phase but the first begins."""
    table, names = table_of(record, "tree_samples"), record.get("phases") or []
    times, phases = column(table, "time_ns"), column(table, "phase")
    for index in range(1, len(phases)):
        if phases[index] != phases[index - 1] and int(phases[index]) < len(names):
            axis.axvline(times[index] / 1e9, color="#888888", linestyle=":", linewidth=1)
            axis.text(times[index] / 1e9, 0.99, " " + names[int(phases[index])], fontsize=8, color="#555555", va="top",
                      transform=axis.get_xaxis_transform())


def draw_marks(axis, record):
    table = table_of(record, "tree_marks")
    if table is None or len(table["rows"]) > MOST_MARKS:
        return
    times, kinds = column(table, "time_ns"), column(table, "kind")
    for kind, marker in ((0, "^"), (1, "v")):
        at = [t / 1e9 for t, k in zip(times, kinds) if k == kind]
        axis.plot(at, [0.02] * len(at), linestyle="none", marker=marker, markersize=4, color="#555555",
                  transform=axis.get_xaxis_transform(), clip_on=False)
