"""The entry of scripts/orders: the order of allocators on each classic beside the order that its original gave.

Reads docs/classics-originals.toml and a results file, prints a table in Markdown, and with --write puts it between the
marks of a page. Compares pairs of allocators, since an order of five has no single right or wrong; computes no figure.
"""
import argparse
import sys
import tomllib
from itertools import combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import results as results_file  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
ORIGINALS = ROOT / "docs/classics-originals.toml"
LEVEL = 1.05  # two figures that differ by less have no order
BEGIN, END = "<!-- orders: ", "<!-- end -->"


class Wrong(Exception):
    """What the user gave cannot be used; the message says why."""


def level(one, other):
    return max(one, other) < LEVEL * min(one, other)


def compare(original, ours):
    """(pairs with an order in the original, those with the same here, [(first here, second here) reversed], level here);
    of allocators that both have. Both: {allocator: figure}, less is better. Pure."""
    common = [name for name in original if name in ours]
    ordered = [tuple(sorted(pair, key=original.get)) for pair in combinations(common, 2)
               if not level(original[pair[0]], original[pair[1]])]
    same = reverse = tied = 0
    reversed_pairs = []
    for first, second in ordered:
        if level(ours[first], ours[second]):
            tied += 1
        elif ours[first] < ours[second]:
            same += 1
        else:
            reverse += 1
            reversed_pairs.append((second, first))
    assert same + reverse + tied == len(ordered)
    return len(ordered), same, reversed_pairs, tied


def digits(value):
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def in_order(figures):
    """'tcmalloc 14.4, mimalloc 16.2': the least first."""
    return ", ".join(f"{name} {digits(figures[name])}" for name in sorted(figures, key=figures.get))


def times_of(results, classic):
    """{allocator: median nanoseconds an operation} of a classic's variant; without those that failed."""
    return {s["allocator"]: s["median"] for s in results.statistics
            if (s.get("workload"), s.get("variant"), s.get("pass"), s.get("metric")) == (
                classic["name"], classic["ours"], "speed", "ns_per_op")
            and s.get("count") and not s.get("failed") and results_file.number(s.get("median")) > 0}


def verdict(original, ours):
    pairs, same, reversed_pairs, tied = compare(original, ours)
    if not pairs:
        return "none in common"
    words = [f"{same} of {pairs}"]
    if tied:
        words.append(f"{tied} level here")
    if reversed_pairs:
        words.append("reversed: " + ", ".join(f"{a} before {b}" for a, b in reversed_pairs))
    return "; ".join(words)


def table(classics, results=None):
    """Lines of Markdown; without results the columns of ours are empty."""
    lines = ["| classic | the original | here, ns an operation | pairs in the same order |", "| :-- | :-- | :-- | :-- |"]
    for classic in classics:
        ours = times_of(results, classic) if results else {}
        row = [f"{classic['name']}/{classic['ours']}", in_order(classic["originals"])]
        row += [in_order(ours), verdict(classic["originals"], ours)] if ours else ["not measured yet", ""]
        lines.append("| " + " | ".join(row).rstrip() + " |")
    return lines


def written_into(page, lines):
    """The page's text with the lines between its marks."""
    begin = page.find(BEGIN)
    after = page.find("\n", begin) + 1
    end = page.find(END, after)
    if begin < 0 or end < 0:
        raise Wrong(f"the page lacks the marks '{BEGIN}...' and '{END}'")
    return page[:after] + "\n".join(lines) + "\n" + page[end:]


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="orders", description=__doc__.split("\n", 1)[0])
    parser.add_argument("results", nargs="?", help="results.json or .json.zst of `heapmark run -w classic`; without it "
                        "the originals' orders alone")
    parser.add_argument("--write", metavar="PAGE", help="put the table between the marks of this page")
    options = parser.parse_args(arguments)
    classics = tomllib.loads(ORIGINALS.read_text(encoding="utf-8"))["classic"]
    try:
        results = results_file.read(options.results) if options.results else None
        lines = table(classics, results)
        if options.write:
            page = Path(options.write)
            page.write_text(written_into(page.read_text(encoding="utf-8"), lines), encoding="utf-8")
        else:
            print("\n".join(lines))
    except (Wrong, results_file.BadResults, OSError) as error:
        print(f"orders: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
