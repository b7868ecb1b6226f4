"""heapmark's own workloads as the work of a study: which are there, which are searched on, which are held out.

Owns: the names and the choice. Knows nothing of searching.
"""
import difflib
import json
import subprocess
from pathlib import Path

import measure
import space

SEARCHED = ["churn/mixed-1t", "churn/mixed-4t", "breathe/wide"]
FOR_FAILED = ["large_block/as"]
NOT_FOR_CHECK = ["tutorial"]  # a demonstration of a few calls, no load


def known(program, group="standard"):
    """Every workload variant of a group with its passes, as the measuring program tells them."""
    told = subprocess.run(
        [str(Path(program).parent / "heapmark-host"), "describe"], capture_output=True, text=True, check=True
    )
    return {
        f"{w['name']}/{v['name']}": v["passes"]
        for w in json.loads(told.stdout)["workloads"]
        for v in w["variants"]
        if w["group"] == group
    }


def chosen(asked, known, objectives):
    """The variants to search on; a workload's name alone means all its variants that can be compared."""
    names = asked.split(",") if asked else SEARCHED + (FOR_FAILED if "failed" in objectives else [])
    found = []
    for name in names:
        these = [k for k in known if k == name or k.split("/")[0] == name]
        if not these:
            near = difflib.get_close_matches(name, [*known, *(k.split("/")[0] for k in known)], 1)
            raise space.BadSpace(
                f'unknown workload "{name}"{f": did you mean {near[0]}?" if near else ""} (known: {", ".join(known)})'
            )
        found += [k for k in these if k not in found]
    for objective in objectives:
        if not any(measure.PASS_OF[objective] in known[name] for name in found):
            raise space.BadSpace(
                f"--objective {objective}: none of the workloads has a {measure.PASS_OF[objective]} pass"
            )
    return found


def held_out(searched, known, objectives):
    """What the search does not see: every other workload variant, and its own ones with another seed."""
    passes = {measure.PASS_OF[o] for o in objectives}
    others = [
        k
        for k in known
        if k not in searched
        and k.split("/")[0] not in NOT_FOR_CHECK
        and "speed" in known[k]
        and passes & set(known[k])
    ]
    return others + searched
