"""The study: what was asked for and every candidate tried, kept in a database by Optuna.

Owns: what is written there and how it is read back; any number of workers may share one. A candidate's tunables,
ratios and state are attributes of its Optuna trial, so that a report needs the database alone.
"""
import time
import warnings

import optuna
import sqlalchemy
from optuna.trial import TrialState

from judge import Candidate, Noise

optuna.logging.set_verbosity(optuna.logging.ERROR)


class BadStudy(Exception):
    """The database holds another study; the message is for the user."""


def check_same(url, before, now):
    """What a study was begun with must be what goes on with it."""
    for key, what in (
        ("allocator", "of"),
        ("library", "with the library"),
        ("heapmark_version", "by heapmark"),
        ("objectives", "for the objectives"),
        ("workloads", "on the workloads"),
        ("traces", "of the traces"),
        ("quick", "with --quick"),
        ("seed", "with the seed"),
    ):
        if key in before and key in now and before[key] != now[key]:
            raise BadStudy(
                f"{url} holds a study {what} {before[key]}, this is {now[key]}: go on with the same, or start "
                "another with --out (or --study)"
            )


def storage_at(url):
    """Optuna's storage; its tables are made where they are not there. Two workers that begin at once may both try."""
    settings = {"connect_args": {"timeout": 60}} if url.startswith("sqlite") else {"pool_pre_ping": True}
    for left in (2, 1, 0):
        try:
            storage = optuna.storages.RDBStorage(url, engine_kwargs=settings)
        except sqlalchemy.exc.SQLAlchemyError:
            if left == 0:
                raise
            time.sleep(1)
        else:
            sqlalchemy.event.listen(storage.engine, "do_connect", connect_or_give_up)
            return storage
    raise AssertionError("not reached")


def connect_or_give_up(dialect, _record, arguments, named):
    """Connects. Optuna 3.1 tries for ever to make a trial where it gets an OperationalError (its counter of retries
    is never raised inside the loop), so a database that is gone is an error of another kind."""
    try:
        return dialect.connect(*arguments, **named)
    except dialect.dbapi.Error as error:
        raise optuna.exceptions.StorageInternalError(str(error)) from error


class Study:
    def __init__(self, url, name, allocator, sampler_seed=None):
        """Opens or makes the study `name`. Raises BadStudy where the file holds only studies of other allocators."""
        self.url = url
        storage = storage_at(url)
        others = [s.study_name for s in optuna.get_all_study_summaries(storage, include_best_trial=False)]
        if url.startswith("sqlite") and others and name not in others:
            raise BadStudy(
                f"{url} holds a study of {others[0].removeprefix('heapmark-')}, not of {allocator}: "
                "choose another --out"
            )
        self.exists = name in others
        self._storage, self._name, self._seed = storage, name, sampler_seed
        self._study = None

    def open(self, objectives):
        with warnings.catch_warnings():  # these options of the sampler are called experimental
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = optuna.samplers.TPESampler(
                seed=self._seed, n_startup_trials=12, multivariate=True, group=True, constant_liar=True
            )
        self._study = optuna.create_study(
            storage=self._storage,
            study_name=self._name,
            directions=["minimize"] * len(objectives),
            load_if_exists=True,
            sampler=sampler,
        )

    @property
    def facts(self):
        return self._study.user_attrs

    def note(self, **facts):
        check_same(self.url, self.facts, facts)
        for key, value in facts.items():
            if self.facts.get(key) != value:
                self._study.set_user_attr(key, value)

    def correct(self, **facts):
        """Sets facts that may change: results of a check."""
        for key, value in facts.items():
            self._study.set_user_attr(key, value)

    def ask(self, space):
        """(Optuna's trial, tunables to set). A tunable is set or left at the allocator's own default."""
        trial = self._study.ask()
        chosen = {}
        for name, values in space.items():
            if trial.suggest_categorical(f"{name} is set", [False, True]):
                chosen[name] = values[trial.suggest_int(name, 0, len(values) - 1)]
        return trial, chosen

    def propose(self, space, tunables):
        """The next ask() gives these tunables."""
        parameters = {f"{name} is set": name in tunables for name in space}
        parameters.update({name: space[name].index(value) for name, value in tunables.items()})
        self._study.enqueue_trial(parameters)

    def tell(self, trial, candidate, objectives, facts):
        """Keeps a candidate, for all workers to see."""
        attributes = {
            "tunables": candidate.tunables,
            "why": candidate.why,
            "ratios": candidate.ratios,
            "places": candidate.places,
            **facts,
            "state": candidate.state,
        }
        for key, value in attributes.items():  # the state last: whoever reads it finds the rest
            trial.set_user_attr(key, value)
        if candidate.state == "failed" or any(name not in candidate.ratios for name in objectives):
            self._study.tell(trial, state=TrialState.FAIL)
        else:
            self._study.tell(trial, [candidate.log(name) for name in objectives])

    def drop(self, trial):
        """A trial that was asked for and could not be measured."""
        self._study.tell(trial, state=TrialState.FAIL)

    def candidates(self):
        """All that were measured, stopped or failed, in the order in which they were asked for."""
        found = []
        for trial in self._study.get_trials(deepcopy=False):
            facts = trial.user_attrs
            if facts.get("state") in ("measured", "stopped", "failed"):
                found.append(
                    Candidate(
                        trial.number,
                        facts["tunables"],
                        facts["ratios"],
                        facts["state"],
                        facts["why"],
                        facts["places"],
                    )
                )
        return found

    def fact_of(self, number, key, otherwise=None):
        for trial in self._study.get_trials(deepcopy=False):
            if trial.number == number:
                return trial.user_attrs.get(key, otherwise)
        return otherwise

    def noise(self, objectives):
        """The largest noise of all hosts that took part."""
        hosts = [value for key, value in self.facts.items() if key.startswith("noise on ")]
        return {
            name: Noise(max((h[name][0] for h in hosts), default=0.0), max((h[name][1] for h in hosts), default=0.0))
            for name in objectives
        }
