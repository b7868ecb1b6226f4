"""What a study is asked to do: the command line, checked against the catalog, the workloads and the traces.

Owns: what may be combined, and the defaults that depend on something else. Knows nothing of searching.
"""
from pathlib import Path

import measure
import space
import traces
import work
import workloads

QUICK_UP_TO = 600  # seconds of budget


def seconds(text):
    units = {"s": 1, "m": 60, "h": 3600}
    number, unit = (text[:-1], text[-1]) if text[-1:] in units else (text, "s")
    try:
        value = float(number) * units[unit]
    except ValueError:
        value = 0
    if not value > 0:
        raise space.BadSpace(f"--budget takes a time like 90s, 10m or 1h, not '{text}'")
    return value


class Asked:
    """The command line, checked."""

    def __init__(self, options, environment):
        self.program = environment["HEAPMARK_PROGRAM"]
        self.command = environment.get("HEAPMARK_COMMAND", "heapmark tune")
        self.allocator = space.load(environment["HEAPMARK_CATALOG"], options.allocator)
        self.objectives = options.objective.split(",")
        for name in self.objectives:
            if name not in measure.PASS_OF:
                raise space.BadSpace(f'unknown objective "{name}" (known: {", ".join(measure.PASS_OF)})')
        wanted = {"speed": "time", "memory": "rss"}.get(options.prefer)
        if wanted and wanted not in self.objectives:
            raise space.BadSpace(f"--prefer {options.prefer} needs the objective {wanted}")
        self.space = self.allocator.space(options.tunables.split(",") if options.tunables else None)
        self.budget = seconds(options.budget)
        self.quick = options.quick or self.budget <= QUICK_UP_TO
        self.work = work.Work(options, options.words)
        names = options.workloads.split(",") if options.workloads else []
        self.traces = traces.Traces(names, options.check_on.split(",") if options.check_on else [])
        self.confirm = None
        if options.confirm:
            self.choose_confirm(options)
        if self.traces:
            if self.work.is_given:
                raise space.BadSpace("-w names traces, and a command is given too: --confirm runs it once the find is checked")
            self.choose_traces([name for name in names if not traces.is_trace(name)])
        elif self.work.is_given:
            self.choose_command(options)
        else:
            self.known = workloads.known(self.program)
            self.workloads = workloads.chosen(options.workloads, self.known, self.objectives)
            self.held_out = workloads.held_out(self.workloads, self.known, self.objectives)
        self.seed, self.prefer = options.seed, options.prefer
        self.folder = Path(options.out or f"heapmark-tune-{self.allocator.name}")
        self.url = options.storage or f"sqlite:///{self.folder}/study.db"
        self.shared = options.storage is not None
        self.report_only = options.report or options.apply

    def choose_confirm(self, options):
        if not self.traces:
            raise space.BadSpace("--confirm is for a study of traces: -w trace:FILE")
        if not self.work.is_given:
            raise space.BadSpace(
                "--confirm needs what was recorded: --confirm -- ./app ARGUMENTS..., or of a server "
                "--confirm --serve './server ...' --ready 'CMD' --load 'CMD'"
            )
        self.confirm, self.work = self.work, work.Work(work.without(options), [])

    def choose_traces(self, others):
        """Traces, and built-in workloads beside them, which are checked with another seed."""
        passes = next(iter(workloads.known(self.program, "trace").values()))
        self.known = workloads.known(self.program)
        others = workloads.chosen(",".join(others), self.known, []) if others else []
        self.known.update({word: passes for word in self.traces.words})
        for objective in self.objectives:
            if measure.PASS_OF[objective] not in passes:
                raise space.BadSpace(f"--objective {objective}: a replay has no {measure.PASS_OF[objective]} pass")
        self.workloads, self.held_out = self.traces.words + others, self.traces.checked + others

    def choose_command(self, options):
        """A command is searched on itself, and confirmed by itself in rounds that the search did not see."""
        if options.workloads:
            raise space.BadSpace("-w names built-in workloads, and a command is the work: leave one of them out")
        for objective in self.objectives:
            if measure.PASS_OF[objective] not in work.PASSES:
                raise space.BadSpace(f"--objective {objective}: a command has no {measure.PASS_OF[objective]} pass")
        self.quick = False
        self.known = {self.work.name: work.PASSES}
        self.workloads = self.held_out = [self.work.name]
