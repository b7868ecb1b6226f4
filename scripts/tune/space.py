"""The values that a search tries for each tunable, from the allocator's catalog file (allocators/README.md).

Owns: which values. A tunable is searched over its `search` range where the catalog gives one, else, where no tunable
of the allocator has one, over its whole range. Sizes go in powers of two, times in steps of about three, other
numbers on a log scale in powers of two, on a linear one in ten steps. Knows nothing of Optuna or of measuring.
"""
import difflib
import math
import tomllib
from pathlib import Path

SUFFIXES = ("", "K", "M", "G", "T")


class BadSpace(Exception):
    """The allocator or a tunable cannot be searched; the message is for the user."""


def size_text(size):
    """1048576 -> '1M'; what is no whole number of KiB stays as it is."""
    step = 0
    while size and size % 1024 == 0 and step + 1 < len(SUFFIXES):
        size, step = size // 1024, step + 1
    return f"{size}{SUFFIXES[step]}"


def whole_numbers(low, high, factor):
    """low's non-positive part one by one, then 1 (or the first above low) times factor, up to high."""
    found = list(range(int(low), min(0, int(high)) + 1))
    value = max(1, int(low))
    if factor == 2:
        value = 2 ** math.ceil(math.log2(value))
    while value <= high:
        found.append(value)
        value = value * factor if factor == 2 else value * (3 if str(value)[0] == "1" else 10 / 3)
        value = int(round(value))
    return found


def values_of(tunable):
    """All values of one catalog row that a search may take, as `heapmark run -a` reads them."""
    if tunable["type"] == "boolean":
        return ["off", "on"]
    low, high = tunable.get("search") or tunable["range"]
    if tunable.get("scale") == "choice":
        return [str(value) for value in range(int(low), int(high) + 1)]
    if tunable.get("scale") == "linear":
        step = max(1, round((high - low) / 10))
        return [str(value) for value in range(int(low), int(high) + 1, step)]
    if tunable["type"] == "bytes" or tunable.get("unit") == "bytes":
        # Sizes below a page make no difference between each other.
        positive = whole_numbers(max(low, 1 if low >= 4096 else 4096), high, 2)
        if low > 0 and low < 4096:
            positive = whole_numbers(low, high, 2)
        return (["0"] if low <= 0 else []) + [size_text(value) for value in positive]
    return [str(value) for value in whole_numbers(low, high, 3 if tunable.get("unit") == "ms" else 2)]


class Allocator:
    """One catalog file: its name, its tunables, how they are handed over."""

    def __init__(self, row):
        self.name = row["name"]
        self.tunables = {tunable["name"]: tunable for tunable in row.get("tunable", [])}
        self.style = row.get("tunables", {})
        self.bundled = row.get("bundled", False)

    @property
    def defaults(self):
        return {name: tunable["default"] for name, tunable in self.tunables.items()}

    def space(self, wanted=None):
        """{tunable: values to try}, of the wanted ones or of those that the catalog recommends."""
        if not self.tunables:
            raise BadSpace(f"{self.name} has no tunables: there is nothing to tune")
        for name in wanted or []:
            if name not in self.tunables:
                near = difflib.get_close_matches(name, self.tunables, 1)
                meant = f'did you mean "{near[0]}"? ' if near else ""
                raise BadSpace(f'unknown tunable of {self.name} "{name}": {meant}(known: {", ".join(self.tunables)})')
        names = wanted or [n for n, t in self.tunables.items() if "search" in t] or list(self.tunables)
        return {name: values_of(self.tunables[name]) for name in names}

    def label(self, chosen):
        """As `heapmark run -a` takes it."""
        if not chosen:
            return self.name
        return f"{self.name}[{','.join(f'{name}={value}' for name, value in chosen.items())}]"


def load(catalog_folder, name):
    """The allocator of that name. Raises BadSpace where there is none."""
    folder = Path(catalog_folder)
    known = sorted(path.stem for path in folder.glob("*.toml"))
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        meant = f'did you mean "{near[0]}"?' if near else f"(known: {', '.join(known)})"
        raise BadSpace(f'unknown allocator "{name}": {meant}')
    return Allocator(tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8")))
