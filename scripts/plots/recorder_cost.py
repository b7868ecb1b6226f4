"""What recording costs: time and bytes an event of heapmark's recorder and of heaptrack, a program a group.

Draws what scripts/recorder measured (results/recorder/results.json); computes nothing. Below: style.py.
"""
from types import SimpleNamespace

import style

LOOKS = {"recorder": ("#0072B2", "heapmark record"), "heaptrack": ("#D55E00", "heaptrack")}


def bars(axis, programs, figure_of, title, unit, scale="linear"):
    """Two bars a program, each with the least and most of the rounds and its value."""
    names = list(programs)
    for place, (mode, (colour, _)) in enumerate(LOOKS.items()):
        found = [(at, programs[name]["summary"][figure_of(mode)]) for at, name in enumerate(names)
                 if figure_of(mode) in programs[name]["summary"]]
        for at in (at for at, one in found if one["median"] <= 0):
            axis.annotate("none\nseen", (at + (place - 0.5) * 0.38, 0.01), xycoords=("data", "axes fraction"), ha="center",
                          va="bottom", fontsize=8, color=style.INK)
        found = [(at, one) for at, one in found if one["median"] > 0]
        if not found:
            continue
        places = [at + (place - 0.5) * 0.38 for at, _ in found]
        medians = [one["median"] for _, one in found]
        spread = [[max(one["median"] - one["least"], 0) for _, one in found],
                  [max(one["most"] - one["median"], 0) for _, one in found]]
        axis.bar(places, medians, width=0.36, color=colour, yerr=spread, ecolor=style.INK, capsize=2,
                 error_kw={"linewidth": 0.8})
        for at, (_, one) in zip(places, found):
            axis.annotate(f"{one['median']:.3g}", (at, max(one["most"], one["median"])), xytext=(0, 3),
                          textcoords="offset points", ha="center", fontsize=8)
    axis.set_yscale(scale)
    axis.set_xticks(range(len(names)), names)
    axis.grid(axis="x", visible=False)
    axis.set_title(title)
    axis.set_ylabel(unit)
    axis.margins(y=0.25)


def draw(data, name):
    """Yields (file name, figure). `data`: the content of results.json; `name`: of the file, for the footnote."""
    figure, (time, size) = style.panels(2, width=4.6, height=3.2)
    bars(time, data["programs"], lambda mode: f"{mode}_ns_per_event", "CPU time added", "ns an event",
         scale="log")
    bars(size, data["programs"], lambda mode: "raw_bytes_per_event" if mode == "recorder" else "heaptrack_bytes_per_event",
         "Written while recording", "bytes an event")
    style.finish(figure, SimpleNamespace(name=name, context=data["context"]), "What recording every allocation costs",
                 "Medians of rounds in which each program ran without a recorder, under heapmark's and under heaptrack's, in "
                 "an order drawn anew; lines reach from the least to the most.", again="scripts/recorder --draw")
    style.key_row(figure, [style.plt.Rectangle((0, 0), 1, 1, color=colour, label=label) for colour, label in LOOKS.values()])
    yield "recorder-cost", figure
