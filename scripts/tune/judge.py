"""What is better than what: noise, domination, the stopping rule, the front, the knee, the recommendation.

Pure: ratios in, decisions out; hand-worked examples in tests/test_judge.py. A ratio is of a candidate to the defaults,
below 1 is better, {"median", "low", "high"} with the 95 % interval (`low` and `high` are absent for a lone round).
All comparisons are made on logarithms, in which half and double are equally far from 1.
"""
import math
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Noise:
    """What the machine makes of the defaults against themselves (A/A), for one objective, as logarithms.

    floor: how far from 1 the interval of the median ratio reached: nothing closer to 1 may be called better.
    spread: how far from 1 a single round came: the interval that a lone round is given.
    """

    floor: float
    spread: float


def noise_of(ratio):
    """Noise from the A/A ratio over several rounds: {"low", "high", "min", "max"}."""

    def far(*names):
        return max((abs(math.log(ratio[name])) for name in names if ratio.get(name)), default=0.0)

    return Noise(far("low", "high", "median"), far("min", "max", "median"))


@dataclass
class Candidate:
    number: int
    tunables: dict
    ratios: dict  # objective -> ratio
    state: str = "measured"  # "measured", "stopped", "failed"
    why: str = ""
    places: dict = field(default_factory=dict)  # objective -> [{"workload", "median", "low", "high"}]

    def log(self, objective):
        return math.log(self.ratios[objective]["median"])


def bounds(ratio, noise):
    """Logarithms of a ratio's interval; of a lone round the A/A spread around it."""
    if ratio.get("low") and ratio.get("high"):
        return math.log(ratio["low"]), math.log(ratio["high"])
    middle = math.log(ratio["median"])
    return middle - noise.spread, middle + noise.spread


def clearly_worse(candidate, others, noise):
    """Whether some other (or the defaults) is better in every objective, beyond intervals and noise floor.

    This is the stopping rule: such a candidate gets no further rounds. `others` are ratio dictionaries; the
    defaults, whose ratio is 1, are always among them.
    """
    for other in [None, *others]:
        worse_in_all = True
        for objective, floor in noise.items():
            high = 0.0 if other is None else bounds(other[objective], floor)[1]
            low = bounds(candidate[objective], floor)[0]
            worse_in_all &= low > high + floor.floor
        if worse_in_all:
            return True
    return False


def dominates(one, other, objectives):
    """No worse in any objective and better in one, by the medians."""
    pairs = [(one.log(name), other.log(name)) for name in objectives]
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def defaults(objectives):
    return Candidate(-1, {}, {name: {"median": 1.0, "low": 1.0, "high": 1.0} for name in objectives})


def front(candidates, objectives):
    """The Pareto front of the measured candidates and the defaults (number -1), by the first objective."""
    points = [c for c in candidates if c.state == "measured"] + [defaults(objectives)]
    best = [p for p in points if not any(dominates(q, p, objectives) for q in points)]
    return sorted(best, key=lambda p: [p.log(name) for name in objectives])


def better(ratio, noise):
    """Whether a ratio is below 1 beyond its own interval and the noise floor."""
    return bounds(ratio, noise)[1] < 0 and math.log(ratio["median"]) < -noise.floor


EQUAL_WITHIN = 0.03  # as `heapmark run` has it by default


def equal(ratio, noise):
    """Whether the whole interval lies within the margin: then the two may be called equal."""
    return max(abs(bound) for bound in bounds(ratio, noise)) <= math.log1p(EQUAL_WITHIN)


def agrees(claim, claim_noise, real, real_noise):
    """Whether the real command says of an objective what the trace said: True, False, or None where it cannot tell.

    It cannot where either cannot be told. The two say the same where both are better, both worse, both equal within the
    margin, or no more than the margin apart: "equal within 3 %" and "2 % more" are no contradiction.
    """
    told = ((claim, claim_noise), (real, real_noise))
    for same in (better, worse, equal):
        if all(same(*one) for one in told):
            return True
    if not all(better(*one) or worse(*one) or equal(*one) for one in told):
        return None
    return abs(math.log(claim["median"]) - math.log(real["median"])) <= math.log1p(EQUAL_WITHIN)


def worse(ratio, noise):
    return bounds(ratio, noise)[0] > 0 and math.log(ratio["median"]) > noise.floor


def knee(points, objectives):
    """The knee of the front: on log axes the point farthest below the line of equal product through the defaults.

    A per cent of one objective counts as much as a per cent of another. (Scaling each objective to the extent of the
    front first, as Das does in "On characterizing the knee of the Pareto curve", Structural Optimization 18, 1999,
    would make the worst point of the front decide: 5 times the time at one end then makes half the time at the other
    look small.)
    """
    return min(points, key=lambda p: (sum(p.log(name) for name in objectives), p.number))


PREFER = {"speed": "time", "memory": "rss"}


def recommend(candidates, objectives, noise, prefer):
    """The candidate to recommend, or None where nothing beats the defaults beyond noise.

    speed and memory: the least time or RSS on the front; balanced: the knee. A candidate that is better in nothing
    beyond noise is none. Among those within the noise floor of the choice the one with the fewest tunables is taken:
    what makes no difference is not to be recommended.
    """
    points = [
        p
        for p in front(candidates, objectives)
        if p.number < 0 or any(better(p.ratios[name], noise[name]) for name in objectives)
    ]
    if prefer == "balanced":
        if not points:
            return None
        chosen = knee(points, objectives)
        # What costs more in one objective than it gains in the others is no compromise.
        if sum(chosen.log(name) for name in objectives) >= 0:
            return None
    else:
        wanted = PREFER[prefer]
        if wanted not in objectives:
            raise ValueError(f"--prefer {prefer} needs the objective {wanted}")
        points = [p for p in points if p.number >= 0 and better(p.ratios[wanted], noise[wanted])]
        if not points:
            return None
        chosen = min(points, key=lambda p: p.log(wanted))
    if chosen.number < 0:
        return None
    like = [
        c
        for c in candidates
        if c.state == "measured"
        and all(abs(c.log(name) - chosen.log(name)) <= noise[name].floor for name in objectives)
        and any(better(c.ratios[name], noise[name]) for name in objectives)
    ]
    return min([chosen, *like], key=lambda c: (len(c.tunables), c is not chosen, c.number))


def no_worse(places, noise):
    """(number of workloads on which an objective is not worse beyond noise, number of workloads)."""
    return sum(not worse(place, noise) for place in places), len(places)


def holds(recommended, check, noise, objectives):
    """Whether held-out workloads confirm a recommendation.

    In each objective in which it was found better, the whole interval of the check must lie below 1: a median that is
    better by chance confirms nothing. Where it was found worse it may stay so.
    """
    claimed = [name for name in objectives if better(recommended[name], noise[name])]
    return bool(claimed) and all(name in check and bounds(check[name], noise[name])[1] < 0 for name in claimed)
