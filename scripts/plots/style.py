"""How every plot looks: one colour, mark and line an allocator, the footnote, and files that come out the same twice.

An allocator's own are in its file of allocators/catalog: colours are Okabe and Ito's (jfly.uni-koeln.de/color), safe
for the colour-blind; marks and dashes tell the allocators apart in black and white too. Knows nothing of any single plot.
"""
import math
import re
import textwrap
import tomllib
import zlib
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.ticker import Formatter, MaxNLocator  # noqa: E402

DPI = 150
CATALOG = Path(__file__).resolve().parents[2] / "allocators/catalog"


def catalog_looks():
    """{allocator: its row of the catalog}: the C library's first, ours last, those not for use at the very end."""
    rows = [tomllib.loads(file.read_text(encoding="utf-8")) for file in sorted(CATALOG.glob("*.toml"))]
    rows.sort(key=lambda row: (bool(row.get("not_for_use")), bool(row.get("bundled")), not row.get("builtin")))
    return {row["name"]: row for row in rows}


KNOWN = catalog_looks()
ORDER = list(KNOWN)
DASHES = ["-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5)), (0, (3, 1)), (0, (8, 2)), (0, (4, 1, 1, 1, 1, 1)),
          (0, (2, 2))]
OTHER_COLOURS = ["#8C6D00", "#6A3D9A", "#7B3F00", "#4D7326", "#A50F4C", "#2F6F7E"]
OTHER_MARKS = ["<", ">", "p", "h", "d", "H"]
INK, GRID = "#222222", "#D9D9D9"

plt.rcParams.update({
    "svg.hashsalt": "heapmark", "svg.fonttype": "path", "font.family": "DejaVu Sans", "font.size": 10,
    "axes.titlesize": 10.5, "axes.titleweight": "bold", "axes.labelsize": 10, "axes.edgecolor": "#888888",
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": GRID,
    "grid.linewidth": 0.6, "axes.axisbelow": True, "legend.frameon": False, "text.color": INK,
    "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "hatch.linewidth": 0.6,
})


def family(label):
    """'glibc[mmap_threshold=128K]' -> 'glibc'."""
    return label.split("[", 1)[0]


def ordered(labels):
    """Labels in the fixed order: known allocators, each followed by its variants, then all others by name."""
    def rank(label):
        known = family(label)
        return (ORDER.index(known) if known in ORDER else len(ORDER), known, label != known, label)
    return sorted(set(labels), key=rank)


def dash(line):
    """The catalog's "solid" or "5 1.5" (ink, gap, ...) as matplotlib has it."""
    return "-" if line == "solid" else (0, tuple(float(part) for part in line.split()))


def look(label):
    """Colour, mark and line that the catalog gives an allocator; where it gives none, and for all other labels, a
    stable one taken from the name alone."""
    row = KNOWN.get(label, {})
    h = zlib.crc32(label.encode())
    line = row.get("line")
    return {"color": row.get("colour", OTHER_COLOURS[h % len(OTHER_COLOURS)]),
            "marker": row.get("mark", OTHER_MARKS[h // 7 % len(OTHER_MARKS)]),
            "linestyle": dash(line) if line else DASHES[1 + h // 49 % 7]}


def wrapped(label, width=18):
    """A long label broken before its tunables."""
    if len(label) <= width:
        return label
    return "\n".join(textwrap.wrap(label.replace("[", " [").replace(",", ", ").replace("=", "= "), width,
                                   break_long_words=False)).replace(" [", "[")


DIGITS = 3  # of a number in a plot; ticks that would look alike get more (TickLabels)


def bytes_text(value, digits=DIGITS):
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if abs(value) >= size:
            # 1020 KiB is no 1.02e+03
            return f"{value / size:.{max(digits, 4 if abs(value) >= 999.5 * size else 3)}g} {unit}"
    return f"{value:.{max(digits, 4 if abs(value) >= 999.5 else 3)}g} B"


def count_text(value, digits=DIGITS):
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= size:
            return f"{value / size:.{digits}g}{unit}"
    return f"{value:.{digits}g}"


def time_text(value, digits=DIGITS):
    """Nanoseconds."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if abs(value) >= size:
            return f"{value / size:.{digits}g} {unit}"
    return f"{value:.{digits}g} ns"


def labels_of(values, text):
    """The texts of an axis's ticks by `text(value, digits)`, with as few digits as tell them apart."""
    for digits in range(DIGITS, 16):
        labels = [text(value, digits) for value in values]
        if len(set(labels)) == len(set(values)):
            break
    return labels


class TickLabels(Formatter):
    """Labels of an axis by one of the texts of this module: no two of them are alike."""

    def __init__(self, text):
        self.text = text

    def __call__(self, value, pos=None):
        return self.text(value)

    def format_ticks(self, values):
        return labels_of(values, self.text) if len(values) else []


def quantity_text(value, unit):
    """The value with its unit as metrics have it (workloads/contract/metric.h); what has none in a few digits."""
    if unit == "bytes":
        return bytes_text(value)
    if unit in ("ns", "s"):
        return time_text(value * (1e9 if unit == "s" else 1))
    return count_text(value) + {"1/s": "/s", "1/MiB": "/MiB"}.get(unit, "")


# From coarse to fine; which is used depends on the room there is.
TICK_STEPS = [
    *([10.0**k for k in range(-12, 13, step)] for step in (3, 2, 1)),
    *([2.0**k for k in range(-40, 41, step)] for step in (4, 2, 1)),
    [m * 10.0**k for k in range(-12, 13) for m in (1, 2, 5)],
    [m * 10.0**k for k in range(-12, 13) for m in (1, 1.5, 2, 3, 5, 7)],
    *([step * i for i in range(1, 400) if step * i < 40] for step in (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005)),
]


def ratio_ticks(low, high, apart, letter=0.0):
    """Ticks between two ratios on a log axis, as many as fit where two stand at least `apart` of its length apart, and
    where their labels, whose letters take `letter` of its length each, leave a gap of two letters."""
    best = []
    for steps in TICK_STEPS:
        inside = [round(s, 12) for s in steps if low <= s <= high]
        widths = [len(label) * letter for label in labels_of(inside, ratio_text)] if inside else []
        places = [(math.log(s / low) / math.log(high / low), width) for s, width in zip(inside, widths)]
        if len(inside) > len(best) and all(
                b[0] - a[0] >= max(apart, (a[1] + b[1]) / 2 + 2 * letter) for a, b in zip(places, places[1:])):
            best = inside
    return best


def ratio_text(value, digits=DIGITS):
    return f"{value:.{digits}g}×" if value < 1000 else f"{count_text(value, digits)}×"


def ratio_axes(axis, apart=((0.1, 0.022), (0.08, 0.0))):
    """Both axes of a panel with ticks of ratios that do not touch; to be called when the limits are set."""
    for side, room in zip((axis.xaxis, axis.yaxis), apart):
        side.set_ticks(ratio_ticks(*sorted(side.get_view_interval()), *room))
        side.set_minor_locator(plt.NullLocator())
        side.set_major_formatter(TickLabels(ratio_text))


def place_labels(figure, axis, labelled, avoid=(), **look):
    """Writes each (text, x, y) beside its point where it covers no earlier label and none of the points `avoid`;
    with a thin line to its point where that is some way off. To be called when the layout is done."""
    figure.canvas.draw()
    size = look.get("fontsize", 8) * figure.dpi / 72
    marks = [axis.transData.transform(point) for point in [*((x, y) for _, x, y in labelled), *avoid]]
    taken = []
    ways = [(math.cos(turn * math.pi / 4), math.sin(turn * math.pi / 4)) for turn in (1, 3, 7, 5, 0, 2, 4, 6)]
    places = [(distance, way) for distance in (1.1, 1.9, 2.8, 3.8, 5.0, 6.5) for way in ways]

    def covers(box):
        inside = any(box[0] - 4 < x < box[2] + 4 and box[1] - 4 < y < box[3] + 4 for x, y in marks)
        return inside or any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken)

    frame = axis.get_window_extent()
    for text, x, y in labelled:
        at = axis.transData.transform((x, y))
        half = (0.34 * size * len(text) + 1, 0.52 * size)

        def box_at(distance, way):
            middle = [at[i] + way[i] * distance * size for i in (0, 1)]
            return [middle[0] - half[0], middle[1] - half[1], middle[0] + half[0], middle[1] + half[1]]

        def fits(box):
            return frame.x0 <= box[0] and box[2] <= frame.x1 and frame.y0 <= box[1] and box[3] <= frame.y1

        free = next((p for p in places if fits(box_at(*p)) and not covers(box_at(*p))), places[0])
        box = box_at(*free)
        taken.append(box)
        middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        line = {"arrowstyle": "-", "linewidth": 0.5, "color": look.get("color", INK), "shrinkA": 1, "shrinkB": 3}
        axis.annotate(text, (x, y), xytext=axis.transData.inverted().transform(middle), ha="center", va="center",
                      arrowprops=line if free[0] > 1.1 else None, **look)
    return taken


def byte_axis(axis, top):
    """Ticks at round binary sizes, named in KiB, MiB or GiB."""
    unit = next((u for u in (2**30, 2**20, 2**10) if top >= u), 1)
    ticks = MaxNLocator(5).tick_values(0, top / unit)
    axis.set_ticks([t * unit for t in ticks if 0 <= t <= top * 1.12 / unit])
    axis.set_major_formatter(TickLabels(bytes_text))


def panels(count, width=5.0, height=2.6, columns=2, **more):
    """A figure with `count` panels in rows; those left over are removed. Returns figure and flat list of axes."""
    columns = min(columns, count)
    rows = -(-count // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(max(width * columns, 7), height * rows + 1.7), squeeze=False,
                                **more)
    flat = list(axes.flat)
    for axis in flat[count:]:
        axis.remove()
    return figure, flat[:count]


def finish(figure, results, title, caption, again="scripts/plot"):
    """Title above, caption and footnote (file, command, machine) below, the panels laid out between."""
    width, height = figure.get_size_inches()
    letters = int(width * 14.5)
    context = results.context
    machine = ", ".join(str(part) for part in (
        context.get("kernel"), f"{context['num_cpus']} CPUs" if context.get("num_cpus") else None) if part)
    foot = [line for text in (caption, f"Data: {results.name}, measured on {machine or 'an unnamed machine'}, by: "
                              f"{context.get('command') or 'unknown command'}",
                              f"The command that makes this plot again: {again} {results.name} --out DIR")
            for line in textwrap.wrap(text, letters)]
    head = textwrap.wrap(title, int(width * 8.5))
    bottom, top = (len(foot) * 0.127 + 0.22) / height, 1 - (len(head) * 0.24 + 0.14) / height
    figure.text(0.12 / width, 1 - 0.1 / height, "\n".join(head), va="top", fontsize=13, weight="bold")
    figure.text(0.12 / width, 0.08 / height, "\n".join(foot), va="bottom", fontsize=7.5, color="#555555")
    figure.tight_layout(rect=(0, bottom, 1, top), h_pad=1.2, w_pad=1.5)


def save(figure, folder, name, formats=("png", "svg")):
    """Writes NAME in each of the formats: the same bytes for the same results."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", name)
    metadata = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}
    for format_name in formats:
        figure.savefig(folder / f"{name}.{format_name}", dpi=DPI if format_name == "png" else "figure",
                       metadata=metadata[format_name])
    plt.close(figure)
    return name


def key_row(figure, handles):
    """One legend in a row under the title, above all panels, so that it never covers data. Call after finish."""
    width, height = figure.get_size_inches()
    columns = max(1, min(len(handles), int(width / 1.75)))
    rows = -(-len(handles) // columns)
    need = (rows * 0.2 + 0.12) / height
    top = max(axis.get_tightbbox(figure.canvas.get_renderer()).y1 for axis in figure.axes) / figure.bbox.height
    figure.subplots_adjust(top=figure.subplotpars.top - need)
    figure.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, top + 0.04 / height), ncol=columns,
                  fontsize=8.5, columnspacing=1.4, handletextpad=0.5, borderpad=0)
