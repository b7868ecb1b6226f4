"""What a replay and the real program have in common: memory over time, and the order of allocators. Pure."""
from statistics import median

WITHIN = 0.10  # goal: the replay's mean difference from the real heap, as a share of it
APART = 0.03  # allocators closer than this have no order


def at_time(series, when):
    """The value of [(time, value)] at a time, between its neighbours on a line."""
    if when <= series[0][0]:
        return series[0][1]
    for (before, one), (after, other) in zip(series, series[1:]):
        if when <= after:
            return one if after == before else one + (other - one) * (when - before) / (after - before)
    return series[-1][1]


def over_time(real, replayed):
    """How far the replay's [(ns, bytes)] is from the real one: means are over the real one's time."""
    first, last = max(real[0][0], replayed[0][0]), min(real[-1][0], replayed[-1][0])
    inside = [point for point in real if first <= point[0] <= last]
    if len(inside) < 3:
        return None
    lengths = [after[0] - before[0] for before, after in zip(inside, inside[1:])]
    points = [(held, at_time(replayed, when), length) for (when, held), length in zip(inside, lengths)]
    total = sum(lengths)
    mean = sum(held * length for held, _, length in points) / total
    return {
        "samples": len(points),
        "mean_real_bytes": mean,
        "mean_replay_bytes": sum(other * length for _, other, length in points) / total,
        "mean_difference": sum(abs(other - held) * length for held, other, length in points) / total / mean,
        "share_of_time_within": sum(length for held, other, length in points if abs(other - held) <= WITHIN * held) / total,
        "peak_ratio": max(held for _, held in replayed) / max(held for _, held in real),
        "end_ratio": at_time(replayed, inside[-1][0]) / inside[-1][1],
    }


def holds(told):
    return told is not None and told["mean_difference"] <= WITHIN


def medians(records, metric):
    """{allocator: median of a metric} over the rounds of trials that ended well."""
    values = {}
    for record in records:
        if record["outcome"] == "ok" and record["metrics"].get(metric):  # 0 or absent: not seen
            values.setdefault(record["allocator"], []).append(record["metrics"][metric])
    return {allocator: median(found) for allocator, found in values.items()}


def orders(real, replayed):
    """Of all pairs of allocators that are apart in both, which stand the other way round."""
    both = sorted(set(real) & set(replayed), key=lambda name: real[name])
    pairs, other_way = 0, []
    for place, less in enumerate(both):
        for more in both[place + 1 :]:
            ratios = real[more] / real[less], replayed[more] / replayed[less]
            if min(max(r, 1 / r) for r in ratios) < 1 + APART:
                continue
            pairs += 1
            if (ratios[0] > 1) != (ratios[1] > 1):
                other_way.append({"less": less, "more": more, "real_ratio": ratios[0], "replay_ratio": ratios[1]})
    return {"real": real, "replay": replayed, "pairs": pairs, "other_way_round": other_way}
