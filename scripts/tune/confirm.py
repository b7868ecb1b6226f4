"""The real command or server of a study of traces (--confirm): tried once before the search, so that a mistake in its
flags costs none, and run with the defaults and with the find once that is checked.

Owns: which objectives it has, and what is said of it. Measuring is search.py's and measure.py's.
"""
import measure
import report
import work

TRY_ROUND = 89_000_000  # of a trial that is thrown away


class CannotConfirm(Exception):
    """The message is for the user."""


def bench_of(asked):
    """How the real work is measured; None where none of the objectives can be."""
    objectives = [o for o in asked.objectives if measure.PASS_OF[o] in work.PASSES]
    if not objectives:
        return None
    return measure.Bench(asked.program, asked.folder, objectives, False, asked.confirm.arguments)


def try_once(asked, say):
    """One round with the defaults. Raises CannotConfirm where it fails, WrongUsage where heapmark refuses its flags."""
    bench, name = bench_of(asked), asked.allocator.name
    if bench is None:
        say(f"none of the objectives can be measured on a {asked.confirm.kind}: it will not be run")
        return
    say(f"trying the real {asked.confirm.kind} once, {asked.confirm.told}")
    try:
        part, _ = bench.run("try", [name], [], 1, TRY_ROUND, asked.seed, asked.budget)
        failure = bench.objectives([part])[name]["failure"]
    finally:
        bench.drop("try")
    if failure:
        raise CannotConfirm(f"--confirm: the real {asked.confirm.kind} fails with the defaults already: {failure}")


def confirm(asked, search, choice, say):
    """Measures and keeps in the study what the real work says of the choice."""
    bench = bench_of(asked)
    if bench is None:
        return
    settings = report.settings(choice.tunables)
    say(f"running the real {asked.confirm.kind}, {asked.confirm.told}, with the defaults and with {settings}")
    search.confirm(choice, bench, asked.seed, asked.confirm)
