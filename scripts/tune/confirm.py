"""The real command of a study of traces (--confirm): run with the defaults and with the find once that is checked.

Owns: which objectives a command has, and its name in the report. Measuring is search.py's and measure.py's.
"""
import measure
import report
import work


def confirm(asked, search, choice, say):
    objectives = [o for o in asked.objectives if measure.PASS_OF[o] in work.PASSES]
    if not objectives:
        say("none of the objectives can be measured on a command: it is not run")
        return
    command = " ".join([*asked.confirm.flags, *asked.confirm.words])
    say(f"running {command} with the defaults and with {report.settings(choice.tunables)}")
    bench = measure.Bench(asked.program, asked.folder, objectives, False, asked.confirm.arguments)
    search.confirm(choice, bench, asked.seed, command)
