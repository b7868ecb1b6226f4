"""The entry of scripts/orders: the order of allocators on each classic beside the order that its original gave.

Reads docs/classics-originals.toml and a results file, prints a table in Markdown, and with --write puts it between the
marks of a page; with --heads it states the order measured here at the end of the head of each classic's file. Compares pairs of allocators, since an order of five has no single right or wrong; computes no figure.
"""
import argparse
import re
import sys
import textwrap
import tomllib
from itertools import combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import results as results_file  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
ORIGINALS = ROOT / "docs/classics-originals.toml"
LEVEL = 1.05  # two figures that differ by less have no order
HEAD = "// Order here (results/classic, "
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


def order_here(figures):
    """'tcmalloc ~ mimalloc, glibc': the least first; those that differ by less than 5 % from the one before are level."""
    names = sorted(figures, key=figures.get)
    text = names[0]
    for before, name in zip(names, names[1:]):
        text += (" ~ " if level(figures[before], figures[name]) else ", ") + name
    return text


def with_order(source, text):
    """A source file whose head ends with the order measured here, in place of the one it had."""
    lines = source.split("\n")
    head = next(at for at, line in enumerate(lines) if not line.startswith("//"))
    begin = next((at for at in range(head) if lines[at].startswith(HEAD)), head)
    return "\n".join(lines[:begin] + textwrap.wrap(HEAD + text, 110, subsequent_indent="// ",
                                                       break_on_hyphens=False) + lines[head:])


def write_heads(classics, results, folder):
    """States the order in the head of each classic's file of which the results have the time."""
    variants = {classic["name"]: classic["ours"] for classic in classics}
    for path in sorted(folder.glob("*.cc")):
        source = path.read_text(encoding="utf-8")
        name = re.search(r'constexpr Workload \w+\{\s*"([^"]+)"', source)
        variant = re.search(r'constexpr Variant kVariants\[\] = \{\s*\{"([^"]+)"', source)
        if not name or not variant:
            raise Wrong(f"{path} declares no workload with variants")
        ours = {"name": name[1], "ours": variants.get(name[1], variant[1])}
        figures = times_of(results, ours)
        if figures:
            text = f"{ours['ours']}, time, ~ within 5 %): {order_here(figures)}."
            path.write_text(with_order(source, text), encoding="utf-8")


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="orders", description=__doc__.split("\n", 1)[0])
    parser.add_argument("results", nargs="?", help="results.json or .json.zst of `heapmark run -w classic`; without it "
                        "the originals' orders alone")
    parser.add_argument("--write", metavar="PAGE", help="put the table between the marks of this page")
    parser.add_argument("--heads", metavar="FOLDER", type=Path, help="state the order in the classics' files of this folder")
    options = parser.parse_args(arguments)
    if options.heads and not options.results:
        parser.error("--heads needs RESULTS.json")
    classics = tomllib.loads(ORIGINALS.read_text(encoding="utf-8"))["classic"]
    try:
        results = results_file.read(options.results) if options.results else None
        lines = table(classics, results)
        if options.heads:
            write_heads(classics, results, options.heads)
        if options.write:
            page = Path(options.write)
            page.write_text(written_into(page.read_text(encoding="utf-8"), lines), encoding="utf-8")
        elif not options.heads:
            print("\n".join(lines))
    except (Wrong, results_file.BadResults, OSError) as error:
        print(f"orders: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
