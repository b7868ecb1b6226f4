"""scripts/recorder without its programs: what it reads, computes, prints and draws."""
import contextlib
import io
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import main  # noqa: E402

SAID = """
heapmark: the program took 1.250 s, 0.500 s of CPU time

  trace             pid   end  events  B/event  closed  threads  peak live  inversions  unknown frees
  recorded.hmtrace  101  exit  5.99 M      5.7     2.1        1   2.54 MiB           0              0
Next: heapmark trace recorded.hmtrace
"""


def one_round(recorder=1.5, heaptrack=3.5, events=10**7):
    return {"none": {"seconds": 1.1, "cpu_seconds": 1.0, "peak_rss_bytes": 2**20},
            "recorder": {"seconds": 1.6, "cpu_seconds": recorder, "peak_rss_bytes": 2**20 + 2**17, "events": events,
                         "raw_bytes_per_event": 5.0, "closed_bytes_per_event": 2.0},
            "heaptrack": {"seconds": 4, "cpu_seconds": heaptrack, "peak_rss_bytes": 2**22, "raw_bytes": 12 * events}}


class RecorderCost(unittest.TestCase):
    def test_what_heapmark_record_says_is_read(self):
        self.assertEqual(main.took(SAID), {"seconds": 1.25, "cpu_seconds": 0.5})
        self.assertEqual(main.raw_bytes_per_event(SAID, "recorded.hmtrace"), 5.7)
        with self.assertRaises(main.Failed):
            main.took("nothing")
        with self.assertRaises(main.Failed):
            main.raw_bytes_per_event(SAID, "other.hmtrace")

    def test_the_peak_of_a_process_and_of_a_child_is_seen(self):
        words = [sys.executable, "-c", "x = bytearray(80 * 2**20); import sys; print(); sys.stdout.flush(); sys.stdin.read()"]
        for child in (False, True):
            command = ["/bin/sh", "-c", '"$@"; true', "sh", *words] if child else words
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
                with main.PeakMemory(process.pid, child) as peak:
                    process.stdout.readline()
                    limit = time.monotonic() + 30
                    while peak.bytes < 80 * 2**20 and time.monotonic() < limit:
                        time.sleep(0.01)
                process.stdin.close()
            self.assertGreater(peak.bytes, 80 * 2**20)

    def test_the_facts_of_a_trace_are_read(self):
        self.assertEqual(main.trace_figures('{"events": 700, "file_bytes": 900, "text": {}}'),
                         {"events": 700, "closed_bytes": 900})

    def test_the_summary_is_within_each_round(self):
        found = main.summary([one_round(), one_round(recorder=1.4), one_round(recorder=1.2, heaptrack=2.0)])
        self.assertAlmostEqual(found["recorder_ns_per_event"]["median"], 40)
        self.assertAlmostEqual(found["recorder_ns_per_event"]["least"], 20)
        self.assertAlmostEqual(found["recorder_share_of_heaptrack"]["median"], 0.2)
        self.assertAlmostEqual(found["heaptrack_bytes_per_event"]["median"], 12)
        self.assertEqual(found["recorder_extra_rss_bytes"]["median"], 2**17)

    def test_without_heaptrack_its_columns_stay_empty(self):
        without = one_round()
        del without["heaptrack"]
        found = main.summary([without])
        self.assertNotIn("heaptrack_slowdown", found)
        row = main.table({"churn": {"summary": found}}).splitlines()[-1]
        self.assertIn("| churn | 10 M | 50 [50, 50] | 1.5 |  |  | 5 | 2 | 128 KiB |", row)

    def test_the_plot_is_drawn(self):
        import recorder_cost
        data = {"context": {"command": "scripts/recorder"}, "programs": {"churn": {"summary": main.summary([one_round()])}}}
        (name, figure), = recorder_cost.draw(data, "results.json")
        self.assertEqual(name, "recorder-cost")
        self.assertEqual(len(figure.axes), 2)

    def test_unknown_programs_are_named(self):
        with self.assertRaises(SystemExit) as ended, contextlib.redirect_stderr(io.StringIO()) as said:
            main.main(["nosuch"])
        self.assertEqual(ended.exception.code, 2)
        self.assertIn("unknown program 'nosuch'", said.getvalue())


if __name__ == "__main__":
    unittest.main()
