"""What the plots of a sweep share: which settings were measured, their order on an axis, the panels to draw.

Owns: reading `heapmark sweep`'s allocators as points of a grid. Statistics are the file's.
"""
import math
import re

import style
from results import NotApplicable, number, unique

# (metric, pass, title, its unit); of several metrics in one entry the first that the file has is drawn.
PANELS = [
    ([("ns_per_op", "speed")], "time per operation", "ns"),
    ([("wall_seconds", "speed")], "time of the command (s)", ""),
    ([("rss_peak_bytes", "memory")], "peak RSS", "bytes"),
    ([("rss_over_live_mean", "memory")], "mean RSS over live bytes", ""),
    ([("minor_faults_per_mib", "speed"), ("minor_faults", "speed")], "minor faults", "count"),
    ([("trims", "ledger")], "trims", "count"),
    ([("p999_ns", "latency")], "99.9th percentile of a call", "ns"),
    ([("ns_per_op", "pressure")], "time per operation under the limit", "ns"),
    ([("major_faults", "pressure")], "major faults under the limit", "count"),
    ([("failed_though_fitting", "limit")], "refused requests that fitted", "count"),
]
UNITS = {"": 1, "B": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40, "ms": 1, "s": 1000}


def value_of(written):
    """'32K' -> 32768.0, '10s' -> 10000.0 (ms), 'on' -> 1.0; NaN where it is no value."""
    if written in ("on", "true", "yes"):
        return 1.0
    if written in ("off", "false", "no"):
        return 0.0
    found = re.fullmatch(r"(-?[\d.]+)(?:([KMGT])(?:iB)?|(ms|s|B))?", written)
    return float(found[1]) * UNITS[found[2] or found[3] or ""] if found else math.nan


class Sweep:
    """The settings of one allocator: .base (the label of its defaults), .tunables {name: values in order}, .labels."""

    def __init__(self, results):
        found = {label: about.get("tunables") or {} for label, about in results.allocators.items()}
        names = {about.get("name") for about in results.allocators.values()}
        self.settings = {label: tunables for label, tunables in found.items() if tunables}
        if len(names) != 1 or len(self.settings) < 3:
            raise NotApplicable("no sweep")
        self.about = results.allocators
        self.base = results.baseline
        self.name = style.family(self.base)
        tunables = unique(name for chosen in self.settings.values() for name in chosen)
        self.tunables = {
            name: sorted({chosen[name] for chosen in self.settings.values() if name in chosen}, key=value_of)
            for name in tunables
        }
        # A search's results hold settings of all kinds: no grid, nothing to draw a line through.
        if any(set(chosen) != set(tunables) for chosen in self.settings.values()):
            raise NotApplicable("no grid")

    def default_place(self, tunable, places):
        """Where the tunable's default stands on a log2 axis that has `places`; None where it is no figure or off it."""
        for about in self.about.values():
            value = value_of((about.get("tunable_defaults") or {}).get(tunable, ""))
            if value > 0 and min(places.values()) <= math.log2(value) <= max(places.values()):
                return math.log2(value)
        return None

    def label(self, chosen):
        """The label with exactly these settings, or None."""
        return next((label for label, tunables in self.settings.items() if tunables == chosen), None)

    def defaults_name(self):
        return f"{self.name}'s defaults" + (" (dynamic thresholds)" if self.base == "glibc" else "")


def panels_of(results, workload, variant):
    """[(metric, pass, title, unit)] for which the file has figures other than zero."""
    found = []
    for choices, title, unit in PANELS:
        for metric, pass_ in choices:
            rows = [
                s
                for s in results.statistics
                if (s.get("workload"), s.get("variant"), s.get("pass"), s.get("metric"))
                == (workload, variant, pass_, metric)
            ]
            if any(number(s.get("median")) > 0 for s in rows):
                found.append((metric, pass_, title + (" per MiB" if metric.endswith("per_mib") else ""), unit))
                break
    return found


def quantity(value, unit, digits=style.DIGITS):
    return {"bytes": style.bytes_text, "ns": style.time_text}.get(unit, style.count_text)(value, digits)
