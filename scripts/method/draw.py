#!/usr/bin/python3
"""Draws what the checks of the method found, from the CSV files of method.py alone.   Usage: draw.py FOLDER

method.png: on the left the ratio in lockstep against the ratio of trials alone; on the right how the ratio depends on
the length of a slice. A part whose CSV is not there is left out.
"""
import csv
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "plots"))
from style import DPI, look, ordered, plt, ratio_axes  # noqa: E402


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def error_bars(rows, middle, low, high):
    values = [float(r[middle]) for r in rows]
    below = [float(r[middle]) - float(r[low]) if r[low] else 0 for r in rows]
    above = [float(r[high]) - float(r[middle]) if r[high] else 0 for r in rows]
    return values, [below, above]


def draw_isolated(axes, rows):
    for allocator in ordered(r["allocator"] for r in rows):
        mine = [r for r in rows if r["allocator"] == allocator]
        x, x_error = error_bars(mine, "isolated", "isolated_low", "isolated_high")
        y, y_error = error_bars(mine, "lockstep", "lockstep_low", "lockstep_high")
        one = look(allocator)
        axes.errorbar(x, y, xerr=x_error, yerr=y_error, fmt=one["marker"], color=one["color"], label=allocator,
                      markersize=5, linewidth=1)
    ends = [min(axes.get_xlim()[0], axes.get_ylim()[0], 0.3), max(axes.get_xlim()[1], axes.get_ylim()[1])]
    axes.plot(ends, ends, color="#888888", linewidth=0.8, linestyle="--", zorder=0)
    axes.set(xscale="log", yscale="log", xlabel="time to glibc's, trials alone", ylabel="the same in lockstep",
             title="Lockstep against trials alone, 95 % intervals")
    ratio_axes(axes)
    axes.legend(fontsize=8)


def draw_slices(axes, rows):
    for workload in sorted({r["workload"] for r in rows}):
        for allocator in ordered(r["allocator"] for r in rows):
            of_it = [r for r in rows if (r["workload"], r["allocator"]) == (workload, allocator)]
            mine = sorted((r for r in of_it if r["slice_ms"] != "alone"), key=lambda r: float(r["slice_ms"]))
            last = next(float(r["ratio"]) for r in of_it if r["slice_ms"] == "alone")
            axes.plot([float(r["slice_ms"]) for r in mine], [float(r["ratio"]) / last for r in mine],
                      color=look(allocator)["color"], marker=look(allocator)["marker"], markersize=4,
                      linestyle={"churn/small-1t": "-", "churn/mixed-1t": "--"}.get(workload, ":"),
                      label=f"{allocator}, {workload}", linewidth=1)
    axes.axhline(1, color="#888888", linewidth=0.8, zorder=0)
    axes.set(xscale="log", xlabel="length of a slice, ms", ylabel="ratio to that of trials alone",
             title="The length of a slice")
    axes.legend(fontsize=6, ncol=2)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: draw.py FOLDER")
    folder = Path(sys.argv[1])
    parts = [(draw, rows_of(folder / name)) for name, draw in
             (("isolated.csv", draw_isolated), ("slices.csv", draw_slices)) if (folder / name).exists()]
    if not parts:
        sys.exit(f"draw: neither isolated.csv nor slices.csv is in {folder}: make them with method.py")
    figure, all_axes = plt.subplots(1, len(parts), figsize=(5.5 * len(parts), 4.8), squeeze=False)
    for axes, (draw, rows) in zip(all_axes[0], parts):
        draw(axes, rows)
    figure.tight_layout()
    figure.savefig(folder / "method.png", dpi=DPI)
    print(folder / "method.png")


if __name__ == "__main__":
    main()
