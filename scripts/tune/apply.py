"""Makes a study's recommendation the defaults of brkmmap: rewrites its table of tunables and its catalog file.

Only what a held-out check confirmed is applied. Running it twice changes nothing the second time.
"""
import re
from pathlib import Path

UNITS = {"K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


class CannotApply(Exception):
    """The message says why."""


def number_of(value):
    return int(value[:-1]) * UNITS[value[-1]] if value[-1] in UNITS else int(value)


def defaults_of(table_text):
    """{tunable: default} of tunables.def."""
    return {
        name: int(value) for name, value in re.findall(r'^TUNABLE\((\w+), "\w+", (\d+),', table_text, re.MULTILINE)
    }


def wanted_defaults(report):
    """The defaults that follow from a report: those of the study with what was recommended and confirmed on top."""
    wanted = {name: int(value) for name, value in report["defaults"].items()}
    if report["recommendation"]["number"] is not None and report["check"] and report["check"]["held"]:
        wanted.update({name: number_of(value) for name, value in report["recommendation"]["tunables"].items()})
    return wanted


def apply(report, root):
    """[(tunable, before, after)] of what was changed in the source tree `root`. Raises CannotApply."""
    if report["allocator"] != "brkmmap":
        raise CannotApply(f"--apply: only brkmmap's defaults are heapmark's to set, not {report['allocator']}'s")
    table = Path(root) / "allocators/brkmmap/tunables.def"
    catalog = Path(root) / "allocators/catalog/brkmmap.toml"
    table_text, catalog_text = table.read_text(encoding="utf-8"), catalog.read_text(encoding="utf-8")
    before, changed = defaults_of(table_text), []
    for name, value in wanted_defaults(report).items():
        if name not in before:
            raise CannotApply(f"--apply: brkmmap has no tunable {name} any more: make a new study")
        if before[name] == value:
            continue
        table_text = re.sub(rf'^(TUNABLE\({name}, "\w+", )\d+', rf"\g<1>{value}", table_text, flags=re.MULTILINE)
        catalog_text = re.sub(
            rf'(name = "{name}"\n(?:(?!\[\[).*\n)*?default = )"\d+"', rf'\g<1>"{value}"', catalog_text
        )
        changed.append((name, before[name], value))
    table.write_text(table_text, encoding="utf-8")
    catalog.write_text(catalog_text, encoding="utf-8")
    return changed
