"""The search: asks for candidates in batches, measures each batch beside the defaults, stops what is clearly worse.

Owns: how the time is spent. At most a quarter goes to the noise floor, most to the search, the rest to trying the
choice without each of its tunables and to the check on held-out workloads. Deciding is judge.py's, measuring
measure.py's, keeping study.py's.
"""
import os
import time

import judge
from judge import Candidate

BATCH = 6  # candidates beside one run of the defaults
LEAST_BATCH = 2
FIRST_ROUNDS, MORE_ROUNDS = 1, 2
NOISE_ROUNDS, CHECK_ROUNDS, CONFIRM_ROUNDS = 6, 6, 6
# Shares of the budget after which a phase must have ended.
NOISE_SHARE, SEARCH_SHARE, SIMPLER_SHARE = 0.25, 0.70, 0.80
# Round numbers: a batch has those from its first trial's number times ROUNDS_APART; other runs lie beyond all batches.
ROUNDS_APART, CHECK_BASE, CONFIRM_BASE, NOISE_BASE = 100, 80_000_000, 85_000_000, 90_000_000
CONFIRM_SHARE = 0.25  # of the budget, beyond it where the rest of it is less: the command takes the time that it takes


class TooShort(Exception):
    """The budget does not suffice for what must be measured; the message says how much would."""


def key_of(tunables):
    """The same settings, in whatever order, have one key."""
    return tuple(sorted(tunables.items()))


class Search:
    def __init__(self, bench, study, allocator, space, asked, say):
        """`asked`: .workloads .objectives .seed .budget (seconds); `say(text)` shows progress."""
        self.bench, self.study, self.allocator, self.space, self.asked, self.say = (
            bench,
            study,
            allocator,
            space,
            asked,
            say,
        )
        self.began = time.monotonic()
        self.round_seconds = None  # one label, all workloads, one round
        self.host = os.uname().nodename

    def left(self, share):
        return self.began + self.asked.budget * share - time.monotonic()

    def measure_noise(self):
        """The defaults against themselves, once a host; also how long a round takes."""
        name = self.allocator.name
        part, seconds = self.bench.run(
            "noise",
            [name, name],
            self.asked.workloads,
            NOISE_ROUNDS,
            NOISE_BASE + os.getpid() % 1000 * 1000,
            self.asked.seed,
            self.left(NOISE_SHARE),
        )
        told = self.bench.objectives([part])[f"{name}#2"]
        if told["failed_trials"]:
            raise TooShort(f"the defaults themselves fail: {told['failure']}")
        rounds = min((told["objectives"].get(o, {}).get("rounds", 0) for o in self.asked.objectives), default=0)
        if rounds < 3:
            need = self.asked.budget * 3.5 / max(rounds, 0.7)
            raise TooShort(
                f"three rounds of the defaults against themselves do not fit into {NOISE_SHARE:.0%} of the "
                f"budget: give --budget {max(2, round(need / 60 + 0.5))}m, fewer workloads or --quick"
            )
        self.round_seconds = seconds / (2 * rounds)
        self.bench.timeout = max(5, round(20 * self.bench.slowest_trial(part)))
        library = self.bench.library(part, name)
        self.study.note(allocator=name, library=library["build_id"] or library["library"], version=library["version"])
        noise = {o: judge.noise_of(told["objectives"][o]) for o in self.asked.objectives}
        self.study.correct(**{f"noise on {self.host}": {o: [n.floor, n.spread] for o, n in noise.items()}})

    def next_batch(self, most):
        """Up to `most` (trial, tunables) that are not measured yet; what is known already is told again at once."""
        known = {key_of(c.tunables): c for c in self.study.candidates()}
        known[key_of({})] = judge.defaults(self.asked.objectives)
        batch, in_batch = [], set()
        for _ in range(most * 8):
            if len(batch) == most:
                break
            trial, tunables = self.study.ask(self.space)
            same = known.get(key_of(tunables))
            if same is None and key_of(tunables) not in in_batch:
                in_batch.add(key_of(tunables))
                batch.append((trial, tunables))
            elif same is None or same.state == "failed" or not same.ratios:
                self.study.drop(trial)
            else:
                again = Candidate(trial.number, tunables, same.ratios, "again", f"as candidate {same.number}")
                self.study.tell(trial, again, self.asked.objectives, {})
        return batch

    def candidate_from(self, number, tunables, told):
        ratios = {
            name: {key: value for key, value in ratio.items() if key != "places"}
            for name, ratio in told["objectives"].items()
            if "median" in ratio
        }
        places = {name: ratio["places"] for name, ratio in told["objectives"].items()}
        candidate = Candidate(number, tunables, ratios, "measured", "", places)
        missing = [name for name in self.asked.objectives if name not in ratios]
        if told["failed_trials"]:
            candidate.state, candidate.why = "failed", told["failure"]
        elif missing:
            candidate.state, candidate.why = "unmeasured", f"no {missing[0]}: the time was over"
        return candidate

    def measure(self, batch, deadline_share):
        """Both stages of one batch; every trial of it is told or dropped whatever happens."""
        open_trials = {trial.number: trial for trial, _ in batch}
        try:
            first = batch[0][0].number
            labels = {trial.number: self.allocator.label(tunables) for trial, tunables in batch}
            noise = self.study.noise(self.asked.objectives)
            found = [p.ratios for p in judge.front(self.study.candidates(), self.asked.objectives) if p.number >= 0]
            parts, going = [], list(batch)
            for stage, rounds in enumerate((FIRST_ROUNDS, MORE_ROUNDS)):
                if not going:
                    break
                part, _ = self.bench.run(
                    f"batch-{first}-{stage}",
                    [self.allocator.name, *(labels[t.number] for t, _ in going)],
                    self.asked.workloads,
                    rounds,
                    first * ROUNDS_APART + stage * 10,
                    self.asked.seed,
                    self.left(deadline_share),
                )
                parts.append(part)
                told, still = self.bench.objectives(parts), []
                for trial, tunables in going:
                    candidate = self.candidate_from(trial.number, tunables, told[labels[trial.number]])
                    if candidate.state == "unmeasured":
                        continue
                    if candidate.state == "measured" and stage == 0:
                        if not judge.clearly_worse(candidate.ratios, found, noise):
                            still.append((trial, tunables))
                            continue
                        candidate.state, candidate.why = "stopped", "clearly worse after the first round"
                    elif candidate.state == "measured" and any(
                        candidate.ratios[o]["rounds"] < 2 for o in self.asked.objectives
                    ):
                        continue
                    self.study.tell(
                        trial,
                        candidate,
                        self.asked.objectives,
                        {"host": self.host, "environment": told[labels[trial.number]]["environment"]},
                    )
                    del open_trials[trial.number]
                going = still
        finally:
            for trial in open_trials.values():
                try:
                    self.study.drop(trial)
                except Exception:  # the database may be what went away: the error under way says so
                    break

    def batch_fits(self, size, share):
        return self.left(share) > self.batch_seconds(size)

    def batch_seconds(self, size):
        """Of so many candidates and the defaults beside them."""
        return (size + 1) * (FIRST_ROUNDS + MORE_ROUNDS) * self.round_seconds

    def search(self):
        if not self.study.candidates() and not self.batch_fits(LEAST_BATCH, SEARCH_SHARE):
            need = (self.asked.budget * SEARCH_SHARE - self.left(SEARCH_SHARE) + self.batch_seconds(2 * LEAST_BATCH)) / SEARCH_SHARE
            raise TooShort(
                f"a round of the work takes {self.round_seconds:.0f} s, so no candidate fits into what is left of the budget: give "
                f"--budget {round(need / 60 + 1)}m, fewer workloads or --quick"
            )
        size = BATCH
        while size >= LEAST_BATCH:
            if not self.batch_fits(size, SEARCH_SHARE):
                size -= 1  # what time is left is used by a smaller batch
                continue
            batch = self.next_batch(size)
            if not batch:
                self.say("every combination is measured")
                return
            self.measure(batch, SEARCH_SHARE)
            known = self.study.candidates()
            states = [c.state for c in known]
            self.say(
                f"{len(known)} candidates: {states.count('measured')} measured, {states.count('stopped')} stopped "
                f"early, {states.count('failed')} failed; the front has "
                f"{len(judge.front(known, self.asked.objectives))} points, "
                f"{max(0, self.left(SEARCH_SHARE)):.0f} s of search left"
            )

    def recommend(self, prefer):
        return judge.recommend(
            self.study.candidates(), self.asked.objectives, self.study.noise(self.asked.objectives), prefer
        )

    def try_simpler(self, prefer):
        """The choice without each of its tunables in turn: what makes no difference shall not be recommended."""
        choice = self.recommend(prefer)
        if choice is None or len(choice.tunables) < 2:
            return
        known = {key_of(c.tunables) for c in self.study.candidates()}
        smaller = [{n: v for n, v in choice.tunables.items() if n != name} for name in choice.tunables]
        # Each alone, too: of five tunables mostly one does the work.
        smaller += [{n: v} for n, v in choice.tunables.items()]
        wanted = [s for s in smaller if key_of(s) not in known]
        wanted = [s for i, s in enumerate(wanted) if s not in wanted[:i]]
        while wanted and not self.batch_fits(len(wanted), SIMPLER_SHARE):
            wanted.pop()
        if not wanted:
            return
        self.say(f"trying the choice with fewer tunables: {len(wanted)} candidates")
        for tunables in wanted:
            self.study.propose(self.space, tunables)
        batch = self.next_batch(len(wanted))
        if batch:
            self.measure(batch, SIMPLER_SHARE)

    def check(self, choice, held_out, seed, sets=(), where=""):
        """The choice against the defaults on workloads and seeds that the search never saw; kept in the study.

        `sets`: what --set is told there; `where`: what was held out, in words, where it is no other workload."""
        labels = [self.allocator.name, self.allocator.label(choice.tunables)]
        part, _ = self.bench.run(
            "check",
            labels,
            held_out,
            CHECK_ROUNDS,
            CHECK_BASE + choice.number * ROUNDS_APART,
            seed,
            self.left(1.0),
            sets,
        )
        told = self.bench.objectives([part])[labels[1]]
        candidate = self.candidate_from(choice.number, choice.tunables, told)
        self.study.correct(
            check={
                "number": choice.number,
                "seed": seed,
                "workloads": held_out,
                "ratios": candidate.ratios,
                "places": candidate.places,
                "failure": told["failure"],
                "host": self.host,
                "where": where,
            }
        )
        self.bench.keep_apart(part, "check")

    def confirm(self, choice, bench, seed, real):
        """The choice against the defaults on the real work (a work.Work), and the defaults against themselves; kept in the study."""
        name, label = self.allocator.name, self.allocator.label(choice.tunables)
        part, _ = bench.run(
            "confirm",
            [name, name, label],
            [],
            CONFIRM_ROUNDS,
            CONFIRM_BASE + choice.number * ROUNDS_APART,
            seed,
            max(self.left(1.0), CONFIRM_SHARE * self.asked.budget),
        )
        told = bench.objectives([part])
        candidate = self.candidate_from(choice.number, choice.tunables, told[label])
        same = told[f"{name}#2"]["objectives"]
        noise = {o: judge.noise_of(same[o]) for o in candidate.ratios if "median" in same.get(o, {})}
        self.study.correct(
            confirmation={
                "number": choice.number,
                "kind": real.kind,
                "command": real.told,
                "ratios": candidate.ratios,
                "noise": {o: [n.floor, n.spread] for o, n in noise.items()},
                "failure": told[label]["failure"] or told[f"{name}#2"]["failure"],
                "host": self.host,
            }
        )
        bench.keep_apart(part, "confirm")
