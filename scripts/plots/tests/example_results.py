"""Makes a small results file for the tests: invented, seeded figures in the shape of docs/results-format.md.

With failures, absent allocators, nulls, statistics without ratio, and a variant label. No measurement at all.
Usage: example_results.py FILE
"""
import json
import random
import sys

LABELS = ["glibc", "glibc[mmap_threshold=128K]", "jemalloc", "mimalloc", "tcmalloc", "scudo", "brkmmap", "floor"]
KIB, MIB = 1024, 2**20
METRICS = {"ns_per_op": ("ns", "lower", "speed", 100), "rss_peak_bytes": ("bytes", "lower", "memory", 90 * MIB),
           "rss_over_live_mean": ("ratio", "lower", "memory", 1.3), "minor_faults": ("count", "lower", "memory", 2e4),
           "major_faults": ("count", "lower", "memory", 0), "trims": ("count", "neither", "ledger", 12)}


def record(label, workload, variant, pass_, **more):
    return {"allocator": label, "workload": workload, "variant": variant, "pass": pass_, "round": 0, "seed": 1,
            "outcome": "ok", "message": "", "metrics": {}, "tables": {}, **more}


def table(columns, rows, texts=None):
    made = {"columns": columns.split(), "rows": rows, "dropped_rows": 0}
    return {**made, "texts": texts} if texts else made


def samples(rng, waste):
    rows, top = [], 0
    for i in range(60):
        live = 64 * MIB * min(1, i / 12) * (1 if i < 52 else (59 - i) / 8)
        top = max(live * waste, top * rng.uniform(0.86, 1.0))
        rows.append([i * 20000, i * 10**7, live, None if i == 30 else top, top * 1.2, top * 0.9, i * 300, 0, i // 30])
    return table("operation time_ns live_bytes rss_bytes virtual_bytes break_offset minor_faults major_faults phase",
                 rows)


def latency_buckets(rng):
    """Of malloc and free: calls, each bucket longer and rarer; the last of free holds a call during a preemption."""
    rows = [[call, kind, 2**at, 2**(at + 1), max(1, int(10**6 * rng.uniform(.5, 1) / 4**(at - 4)))]
            for call in (0, 1) for at in range(4, 18) for kind in ([0] if at < 9 else [1])]
    return table("call kind from_ns to_ns calls", rows + [[1, 3, 2**22, 2**23, 1]])


def under_limit(label, share, i):
    """A trial of the pressure pass; the narrowest limit ends some allocators."""
    made = record(label, "churn", f"small-1t@{share or 'unlimited'}", "pressure", metrics={
        "ns_per_op": 200 * (1 + i) / (share or 1), "major_faults": (1 - (share or 1)) * 10000 * (1 + i),
        "limit_bytes": share * 60 * MIB or None, "smallest_limit_bytes": None if share else (20 + i) * MIB})
    made["pressure"] = {"limit_share": share, "swap": "file", "cgroup": "v1", "stalls_of": "machine"}
    if share == .7 and i % 2:
        made.update(outcome="killed at the cgroup limit", message="in the workload")
    return made


def steps(pinned):
    says = ["start", "A=30K", "B=40K", "C=200K", "D=100K", "free C", "free B", "ask 40K", "free it", "ask E=50K",
            "free E", "free D"]
    breaks = [0, 132, 132, 132, 264, 264, 264, 264, 264, 300, 300, 300 if pinned else 160]
    rss = [0, 32, 72, 272, 372, 172, 172, 172, 172, 222, 222, 222 if pinned else 80]
    rows, texts = [], []
    for i, text in enumerate(says):
        for touched in (0, 1):
            held = rss[i] if touched or i == 0 else min(rss[i], rss[i - 1])
            rows.append([i, touched, None, 1, breaks[i] * KIB, 500 * KIB, held * KIB, i, 0])
            texts.append(text)
    return table("step touched address_offset place break_offset virtual_bytes rss_bytes minor_faults major_faults",
                 rows, texts)


def statistic(rng, label, workload, variant, metric, i):
    unit, better, pass_, base = METRICS[metric]
    about = {"workload": workload, "variant": variant, "pass": pass_, "metric": metric, "allocator": label}
    if label == "scudo":
        return {**about, "count": 0, "failed": 6}
    value = base * (1 if label == "glibc" else 2 ** rng.uniform(-1.2, 0.9))
    about.update(count=6, failed=1 if i == 2 else 0, median=value, min=value * .9, max=value * 1.1, low=value * .95,
                 high=value * 1.05, method="bootstrap")
    if label != "glibc" and base and label != "tcmalloc":
        q = value / base
        verdict = "equal" if abs(q - 1) < .1 else "differs" if better == "neither" else (
            "better" if q < 1 else "worse")
        about["ratio"] = {"baseline": "glibc", "median": q, "low": q * .93, "high": q * 1.08, "method": "bootstrap",
                          "verdict": verdict}
    elif label == "tcmalloc":
        about.update(count=1, method="single", low=None, high=None)
    return about


def make(seed=1):
    """The whole results object."""
    rng = random.Random(seed)
    records, statistics = [], []
    for i, label in enumerate(LABELS):
        for variant in ("small-1t", "mixed-4t"):
            if label == "scudo":
                records.append(record(label, "churn", variant, "memory", outcome="crashed", message="SIGSEGV"))
            else:
                records.append(record(label, "churn", variant, "memory",
                                      tables={"samples": samples(rng, 1.1 + .1 * i)}))
                records.append(record(label, "churn", variant, "ledger", metrics={"trims": i}))
                if variant == "small-1t":
                    records += [under_limit(label, share, i) for share in (0, .9, .7)]
                    records.append(record(label, "churn", variant, "latency", metrics={"clock_cost_ns": 20},
                                          tables={"latency_buckets": latency_buckets(rng)}))
            statistics += [statistic(rng, label, "churn", variant, m, i) for m in METRICS]
        for variant in ("unlimited", "as", "data"):
            rows = [[r, 180 * MIB, (76 - 3 * r) * MIB, None if (i, r) == (3, 2) else
                     (64 if variant == "unlimited" or i % 3 else 16) * MIB, 7, 0, 0, 0] for r in range(5)]
            bad = {"outcome": "out of memory", "message": "refused"} if (label, variant) == ("scudo", "as") else {
                "tables": {"rounds": table("round live_bytes should_fit_bytes largest_bytes requests "
                                           "failed_though_fitting virtual_free_bytes rss_free_bytes", rows)}}
            records.append(record(label, "large_block", variant, "limit", **bad))
        verdicts = [[n, None if n == 12 else int(n != 11 or label != "glibc")] for n in range(1, 13)]
        records.append(record(label, "tutorial", "sequence", "memory", tables={
            "steps": steps(label == "glibc"), "claims": table("claim holds", verdicts)}))
    allocators = {a: {"name": a.split("[")[0], "label": a} for a in LABELS}
    allocators["tbbmalloc"] = {"name": "tbbmalloc", "label": "tbbmalloc", "skipped": "no libtbbmalloc2"}
    shown = {m: {"unit": u, "better": b, "headline": True, "help": ""} for m, (u, b, _, _) in METRICS.items()}
    return {"heapmark_version": "0.0.0-example", "schema": 2, "plan": {"baseline": "glibc"},
            "context": {"kernel": "Linux 0.0-invented", "num_cpus": 2, "command": "heapmark run -o example.json"},
            "allocators": allocators, "metrics": {w: shown for w in ("churn", "large_block", "tutorial")},
            "records": records, "statistics": statistics, "benchmarks": []}


if __name__ == "__main__":
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(make(), file)
