"""What a study found: the report as data (tune.json, which scripts/plot draws) and as text for the terminal.

Pure functions of the study: the same study gives the same report.
"""
import judge

# Of each objective: how less of it is said, and what it is.
WORDS = {
    "time": ("less", "time"),
    "rss": ("less", "RSS"),
    "faults": ("fewer", "minor faults"),
    "failed": ("fewer", "refused requests"),
    "p999": ("less", "time of one call in a thousand"),
    "pressure_time": ("less", "time under pressure"),
}


def percent(ratio):
    value = abs(1 - ratio["median"]) * 100
    return f"{value:.0f} %" if value >= 1 else f"{value:.1f} %"


def change(name, ratio, noise):
    """'18 % less time', 'time equal within 3 %', or 'time cannot be told'."""
    less, what = WORDS[name]
    if judge.better(ratio, noise):
        return f"{percent(ratio)} {less} {what}"
    if judge.worse(ratio, noise) and ratio["median"] < 2:
        return f"{percent(ratio)} more {what}"
    if judge.worse(ratio, noise):
        return f"{ratio['median']:.1f} times the {what}"
    if judge.equal(ratio, noise):
        return f"{what} equal within {judge.EQUAL_WITHIN * 100:.0f} %"
    return f"{what} cannot be told"


def settings(tunables):
    return ", ".join(f"{name} {value}" for name, value in tunables.items()) or "the defaults"


def count_no_worse(places, objectives, noise):
    """(workloads that are worse in no objective beyond noise, all workloads)."""
    worse, every = set(), set()
    for name in objectives:
        for place in places.get(name, []):
            every.add(place["workload"])
            if place.get("median") and judge.worse(place, noise[name]):
                worse.add(place["workload"])
    return len(every) - len(worse), len(every)


def worse_on(places, objectives, noise):
    """'worse on breathe/buffers (3.8 times the time)': a mean must not hide where it is paid for. '' where nowhere."""
    found = {}
    for name in objectives:
        for place in places.get(name, []):
            if place.get("median") and judge.worse(place, noise[name]):
                found.setdefault(place["workload"], []).append(change(name, place, noise[name]))
    told = ", ".join(f"{workload} ({', '.join(changes)})" for workload, changes in found.items())
    return f"; worse on {told}" if told else ""


def paste_line(environment):
    return " ".join(f"{name}={value}" for name, value in environment.items())


def mallopt_calls(allocator, tunables):
    """The same by calls in the program, where the catalog knows them and all tunables have one."""
    rows = [(allocator.tunables[name].get("mallopt"), value) for name, value in tunables.items()]
    if not rows or not all(name for name, _ in rows):
        return ""
    units = {"K": 1024, "M": 1024**2, "G": 1024**3}
    return " ".join(f"mallopt({name}, {int(v[:-1]) * units[v[-1]] if v[-1] in units else v});" for name, v in rows)


def make(study, allocator, objectives, prefer, command):
    """The report as data."""
    candidates, noise = study.candidates(), study.noise(objectives)
    on_front = {p.number for p in judge.front(candidates, objectives)}
    choice = judge.recommend(candidates, objectives, noise, prefer)
    facts = study.facts
    check = facts.get("check")
    report = {
        "heapmark_tuning": 1,
        "allocator": allocator.name,
        "version": facts.get("version", ""),
        "library": facts.get("library", ""),
        "heapmark_version": facts.get("heapmark_version", ""),
        "host": ", ".join(sorted(k.removeprefix("noise on ") for k in facts if k.startswith("noise on "))),
        "kernel": facts.get("kernel", ""),
        "command": command,
        "objectives": objectives,
        "workloads": facts.get("workloads", []),
        "seed": facts.get("seed"),
        "quick": facts.get("quick"),
        "noise": {
            name: {
                "floor": round(2.718281828459045**n.floor - 1, 6),
                "spread": round(2.718281828459045**n.spread - 1, 6),
            }
            for name, n in noise.items()
        },
        "defaults": facts.get("defaults", {}),
        "candidates": [
            {
                "number": c.number,
                "tunables": c.tunables,
                "state": c.state,
                "why": c.why,
                "ratios": c.ratios,
                "on_front": c.number in on_front,
            }
            for c in candidates
        ],
        "defaults_on_front": -1 in on_front,
    }
    report["recommendation"] = {
        "prefer": prefer,
        "number": None,
        "tunables": {},
        "paste": "",
        "mallopt": "",
        "words": "Nothing that was tried beats the defaults beyond the noise of this machine: keep them."
        if any(c.state in ("measured", "stopped") for c in candidates)
        else "No setting was measured, so nothing was learned about the defaults: run the same command again, with "
        "more time.",
    }
    if (
        prefer == "balanced"
        and choice is None
        and any(judge.better(c.ratios[o], noise[o]) for c in candidates if c.state == "measured" for o in objectives)
    ):
        report["recommendation"]["words"] = (
            "Whatever was better than the defaults in one objective cost as much or more in "
            "another: keep them (--prefer speed or memory names the ends of the front)."
        )
    report["check"] = None
    if choice is None:
        return report
    fine, every = count_no_worse(choice.places, objectives, noise)
    words = (
        f"{settings(choice.tunables)}: "
        + ", ".join(change(name, choice.ratios[name], noise[name]) for name in objectives)
        + f", {fine} of {every} workloads no worse"
    )
    report["recommendation"].update(
        number=choice.number,
        tunables=choice.tunables,
        words=f"found, not confirmed: {words}",
    )
    if not check or check["number"] != choice.number or not (check["ratios"] or check["failure"]):
        return report
    # Of a command: its own rounds that the search did not see.
    alone = check["workloads"] == study.facts.get("workloads") or bool(check.get("where"))
    where = check.get("where") or ("in further rounds in another order" if alone else "on held-out workloads")
    held = not check["failure"] and judge.holds(choice.ratios, check["ratios"], noise, objectives)
    fine, every = count_no_worse(check["places"], objectives, noise)
    told = ", ".join(
        change(name, check["ratios"][name], noise[name]) for name in objectives if name in check["ratios"]
    )
    searched = words.removeprefix(f"{settings(choice.tunables)}: ")
    # The headline is what workloads say that the search did not see.
    if held:
        report["recommendation"].update(
            words=f"{settings(choice.tunables)}: {told} {where} ({searched} where it was searched)",
            paste=paste_line(study.fact_of(choice.number, "environment", {})),
            mallopt=mallopt_calls(allocator, choice.tunables),
        )
    else:
        report["recommendation"]["words"] = (
            f"keep the defaults: {settings(choice.tunables)} was not confirmed {where} "
            f"({told or 'nothing measured'}; {searched} where it was searched)"
        )
    report["check"] = {
        "seed": check["seed"],
        "workloads": check["workloads"],
        "ratios": check["ratios"],
        "places": check["places"],
        "held": held,
        "failure": check["failure"],
        "words": (f"{where}: " if alone else f"on {every} held-out workloads with another seed: ")
        + f"{told or 'nothing measured'}, {fine} of {every} no worse"
        + worse_on(check["places"], objectives, noise)
        + (f"; {check['failure']}" if check["failure"] else ""),
    }
    if confirmed := confirmation(facts.get("confirmation"), check, noise, objectives):
        report["confirmation"] = confirmed
    return report


def confirmation(confirmed, check, noise, objectives):
    """What the real command says of the choice beside what the check on traces said; None where it was not asked."""
    if not confirmed or confirmed["number"] != check["number"]:
        return None
    told, verdicts = [], []
    for name in objectives:
        if name not in confirmed["ratios"] or name not in check["ratios"]:
            continue
        real, own = confirmed["ratios"][name], judge.Noise(*confirmed["noise"].get(name, (0.0, 0.0)))
        agrees = judge.agrees(check["ratios"][name], noise[name], real, own)
        verdicts.append(agrees)
        word = {True: "agrees", False: "does not agree", None: "cannot tell"}[agrees]
        told.append(f"{change(name, real, own)} (the trace: {change(name, check['ratios'][name], noise[name])}): {word}")
    agreed = None if not verdicts or None in verdicts else all(verdicts)
    if False in verdicts:
        agreed = False
    kind = confirmed.get("kind", "command")
    return {
        "kind": kind,
        "command": confirmed["command"],
        "ratios": confirmed["ratios"],
        "noise": confirmed["noise"],
        "failure": confirmed["failure"],
        "agrees": None if confirmed["failure"] else agreed,
        "words": f"The real {kind}, {confirmed['command']}: "
        + ("; ".join(told) or "nothing measured")
        + (f"; {confirmed['failure']}" if confirmed["failure"] else ""),
    }


def interval(ratio):
    if ratio.get("low"):
        return f"{ratio['median']:.2f} [{ratio['low']:.2f}, {ratio['high']:.2f}]"
    return f"{ratio['median']:.2f}"


def table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def text(report):
    """The report for a terminal."""
    objectives, name = report["objectives"], report["allocator"]
    states = [c["state"] for c in report["candidates"]]
    lines = [
        f"{' '.join([name, report['version']]).strip()}: {len(states)} candidates on {', '.join(report['workloads'])}: "
        f"{states.count('measured')} measured, {states.count('stopped')} stopped early as clearly worse, "
        f"{states.count('failed')} failed",
        "noise of this machine, the defaults against themselves: "
        + ", ".join(f"{o} {n['floor'] * 100:.1f} %" for o, n in report["noise"].items()),
        "",
    ]
    front = sorted(
        (c for c in report["candidates"] if c["on_front"]), key=lambda c: c["ratios"][objectives[0]]["median"]
    )
    rows = [["", "settings", *(f"{o}, ratio to the defaults [95 %]" for o in objectives)]]
    for c in front:
        mark = "→" if c["number"] == report["recommendation"]["number"] else ""
        rows.append([mark, settings(c["tunables"]), *(interval(c["ratios"][o]) for o in objectives)])
    chosen = next((c for c in report["candidates"] if c["number"] == report["recommendation"]["number"]), None)
    if chosen and not chosen["on_front"]:
        rows.append(
            [
                "→",
                settings(chosen["tunables"]) + " (like the front, fewer tunables)",
                *(interval(chosen["ratios"][o]) for o in objectives),
            ]
        )
    rows.append(
        [
            "",
            "the defaults" + ("" if report["defaults_on_front"] else " (not on the front)"),
            *("1" for _ in objectives),
        ]
    )
    lines += ["Pareto front", table(rows), ""]
    for c in report["candidates"]:
        if c["state"] == "failed":
            lines.append(f"✗ failed: {settings(c['tunables'])}: {c['why']}")
    recommendation, check = report["recommendation"], report["check"]
    if recommendation["number"] is None:
        lines.append(recommendation["words"])
        return "\n".join(lines)
    confirmed = check is not None and check["held"]
    heading = "Recommended" if confirmed else "Not recommended"
    lines.append(f"{heading} ({recommendation['prefer']}): {recommendation['words']}")
    if check is None:
        lines.append("Not checked on held-out workloads: the time was over before; run the same command again.")
    else:
        lines.append(f"Checked {check['words']}")
    if report.get("confirmation"):
        lines.append(report["confirmation"]["words"])
    if not confirmed:
        lines.append(f"Keep {name}'s defaults.")
    else:
        lines += ["", f"  {recommendation['paste']}"] + (
            [f"  {recommendation['mallopt']}"] if recommendation["mallopt"] else []
        )
    return "\n".join(lines)
