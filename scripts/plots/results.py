"""Reads a results file (docs/results-format.md) and checks that it has the shape the plots rely on.

Owns: what is in the file and how to find it. Nothing is computed here: statistics are the tool's.
Above: the plots, one file each. Below: json and compressed.py (no matplotlib, so that errors are quick).
"""
import json
import math
from pathlib import Path

import compressed

SCHEMAS = (1, 2)


class BadResults(Exception):
    """The file cannot be read, or is not a results file of this format."""


class Absent(Exception):
    """The results hold no data for a plot; the message says what is missing."""


class NotApplicable(Absent):
    """The file is of another kind than the plot is for: nothing is missing, nothing is said."""


def number(value):
    """The value as a float; NaN where it was not measured."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return math.nan
    return float(value)


class Results:
    """The content of one results file."""

    def __init__(self, name, data):
        self.name = name
        self.context = data["context"]
        self.plan = data.get("plan") or {}
        self.allocators = data["allocators"]
        self.metrics = data["metrics"]
        self.records = data["records"]
        self.statistics = data["statistics"]

    @property
    def baseline(self):
        for statistic in self.statistics:
            if statistic.get("ratio"):
                return statistic["ratio"].get("baseline", "glibc")
        return self.plan.get("baseline") or "glibc"

    def trials(self, workload=None, pass_=None):
        return [r for r in self.records if (workload is None or r.get("workload") == workload)
                and (pass_ is None or r.get("pass") == pass_)]

    def statistic(self, workload, variant, pass_, metric, allocator):
        key = (workload, variant, pass_, metric, allocator)
        for s in self.statistics:
            if (s.get("workload"), s.get("variant"), s.get("pass"), s.get("metric"), s.get("allocator")) == key:
                return s
        return None

    def info(self, workload, metric):
        return (self.metrics.get(workload) or {}).get(metric) or {}


def unique(values):
    """The values in their first order, each once."""
    return list(dict.fromkeys(values))


def column(table, name):
    """One column of a table as floats; NaN where a cell was not measured; Absent where there is no such column."""
    try:
        index = table["columns"].index(name)
    except (KeyError, ValueError):
        raise Absent(f"a table has no column '{name}'") from None
    return [number(row[index]) if index < len(row) else math.nan for row in table.get("rows") or []]


def table_of(record, name):
    """The named table of a record, or None where it is absent or empty."""
    table = (record.get("tables") or {}).get(name)
    return table if table and table.get("rows") else None


TUNING_SHAPE = {"allocator": str, "objectives": list, "workloads": list, "noise": dict, "candidates": list,
                "recommendation": dict, "defaults_on_front": bool}


def tuning_report(path, data):
    """A report of `heapmark tune` (tune.json), checked, with its file's name."""
    for key, shape in TUNING_SHAPE.items():
        if not isinstance(data.get(key), shape):
            raise BadResults(f"{path} is a tuning report but '{key}' is missing or damaged")
    for candidate in data["candidates"]:
        if not isinstance(candidate, dict) or not {"number", "tunables", "state", "ratios", "on_front"} <= set(candidate):
            raise BadResults(f"{path} is a tuning report but a candidate is damaged")
    return {**data, "check": data.get("check"), "file": Path(path).name}


TRACE_SHAPE = {"file": str, "text": dict, "has_times": bool, "calls": dict, "moments": list, "threads": list, "sizes": list,
               "sizes_at_peak": list, "sizes_never_freed": list, "lifetimes_ns": list, "reallocs": dict}


class TraceFacts:
    """What `heapmark trace --format json` tells of one trace."""

    def __init__(self, path, data):
        for key, shape in TRACE_SHAPE.items():
            if not isinstance(data.get(key), shape):
                raise BadResults(f"{path} is of a trace but '{key}' is missing or damaged")
        self.name, self.data = Path(path).name, data
        text = data["text"]
        self.title = Path(data["file"]).name
        # What the footnote wants to know.
        self.context = {"kernel": text.get("machine"), "command": text.get("command") or text.get("imported")}


def read(path):
    """Reads and checks a results file, a tuning report (a dict) or a trace's facts. Raises BadResults with a message for
    the user."""
    try:
        data = json.loads(compressed.read_text(path))
    except compressed.Damaged as error:
        raise BadResults(str(error)) from None
    except OSError as error:
        raise BadResults(f"cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise BadResults(f"{path} is not JSON: {error}") from None
    if isinstance(data, dict) and "heapmark_tuning" in data:
        return tuning_report(path, data)
    if isinstance(data, dict) and "heapmark_trace" in data:
        return TraceFacts(path, data)
    if not isinstance(data, dict) or "heapmark_version" not in data:
        raise BadResults(f"{path} is not a heapmark results file (no 'heapmark_version')")
    if data.get("schema") not in SCHEMAS:
        raise BadResults(
            f"{path} has schema {data.get('schema')!r}; these plots read schemas {SCHEMAS[0]} to {SCHEMAS[-1]}: "
            f"draw it with heapmark {data['heapmark_version']}")
    shapes = {"context": dict, "allocators": dict, "metrics": dict, "records": list, "statistics": list}
    for key, shape in shapes.items():
        if not isinstance(data.get(key), shape):
            raise BadResults(f"{path}: '{key}' should be {'an object' if shape is dict else 'an array'}")
    for key in ("records", "statistics"):
        if not all(isinstance(entry, dict) for entry in data[key]):
            raise BadResults(f"{path}: every entry of '{key}' should be an object")
    return Results(Path(path).name, data)
