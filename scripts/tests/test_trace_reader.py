"""scripts/trace_reader.py, which knows docs/trace-format.md only, against the page's example and the tool itself."""
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import unittest
from collections import Counter
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import trace_reader  # noqa: E402


def example():
    """The bytes of the page's hexadecimal dump."""
    page = (ROOT / "docs/trace-format.md").read_text(encoding="utf-8")
    return bytes.fromhex(" ".join(re.findall(r"^[0-9a-f]{8}: (.*)$", page, re.MULTILINE)))


def random_log(events, seed):
    """The text of a log with three threads, and what it amounts to."""
    draw, live, lines, address = random.Random(seed), {}, [], 0x1000
    calls, live_bytes, peak = Counter(), 0, 0
    for _ in range(events):
        thread, size, address = draw.choice((10, 11, 12)), draw.randrange(10**draw.randrange(1, 7)), address + 16
        kind = draw.choice(("malloc", "calloc", "aligned", "realloc", "free", "free"))
        old = draw.choice(list(live)) if live else None
        if kind in ("realloc", "free") and old is None:
            continue
        if kind in ("realloc", "free"):
            live_bytes -= live.pop(old)
        if kind == "free":
            lines.append(f"{thread}: free {old:#x}")
        else:
            shown = {"malloc": f"malloc {address:#x} {size}", "calloc": f"calloc {address:#x} 1 {size}",
                     "aligned": f"memalign {address:#x} 64 {size}"}
            lines.append(f"{thread}: {shown.get(kind) or f'realloc {address:#x} {old:#x} {size}'}")
            live[address] = size
            live_bytes += size
        calls[kind] += 1
        peak = max(peak, live_bytes)
    return "\n".join(lines) + "\n", calls, live, peak


class TraceReader(unittest.TestCase):
    def test_the_example_of_the_page_reads_as_it_says(self):
        trace = trace_reader.Trace(example())
        self.assertEqual(trace.text, {"command": "./app"})
        self.assertEqual((trace.header.pid, trace.header.tick_ns, trace.header.max_live_bytes), (4711, 100, 300_500))
        (first, second), = trace.segments()
        self.assertEqual([trace_reader.words(event) for event in first], [
            "10 0 malloc size=100 gives=(0, 0)", "20 0 start starts=1",
            "300 0 realloc size=500 gives=(0, 1) takes=(0, 0) stayed=True"])
        self.assertEqual([trace_reader.words(event) for event in second], [
            "25 1 aligned size=300000 pages=3 alignment=64 gives=(1, 0)", "400 1 free takes=(0, 1)", "401 1 free takes=(1, 0)",
            "402 1 end"])

    def test_every_byte_of_the_header_is_guarded(self):
        whole = example()
        for at in range(trace_reader.HEADER.size):
            with self.assertRaises(trace_reader.Damaged):
                trace_reader.Trace(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
        with self.assertRaises(trace_reader.Damaged):
            trace_reader.Trace(whole[:-1])

    def test_it_reads_of_an_imported_log_what_the_log_says_and_the_tool_reads(self):
        text, calls, live, peak = random_log(6000, seed=1)
        with tempfile.TemporaryDirectory() as folder:
            log, file = Path(folder) / "log", Path(folder) / "t.hmtrace"
            log.write_text(text, encoding="ascii")
            tool = os.environ["HEAPMARK_BUILD_DIR"] + "/heapmark"
            subprocess.run([tool, "trace", "import", log, "-o", file], check=True, stdout=subprocess.DEVNULL)
            facts = json.loads(subprocess.run([tool, "trace", file, "--format", "json"], check=True,
                                              capture_output=True, text=True).stdout)
            trace = trace_reader.Trace(file.read_bytes())
        self.assertGreater(len(trace.entries), 10)
        sizes, seen = {}, Counter()
        events = []
        for segment, entry in zip(trace.segments(), trace.entries):
            # One tick an event: times are the order.
            ordered = sorted((event for part in segment for event in part), key=lambda event: event.tick)
            self.assertEqual(len(ordered), entry.events)
            for event in ordered:
                seen[event.call] += 1
                if event.takes:
                    del sizes[event.takes]
                if event.gives:
                    sizes[event.gives] = event.size
            self.assertEqual(sum(sizes.values()), entry.end_live_bytes)
            self.assertEqual(len(sizes), entry.end_live_objects)
            events += ordered
        self.assertEqual(seen, calls + Counter(start=2))
        self.assertEqual(sorted(sizes.values()), sorted(live.values()))
        self.assertEqual(trace.header.max_live_bytes, peak)
        self.assertEqual({event.alignment for event in events if event.call == "aligned"}, {64})
        self.assertEqual(facts["peak_live_bytes"], peak)
        self.assertEqual(facts["never_freed_bytes"], sum(live.values()))
        self.assertEqual({call: facts["calls"][call] for call in calls}, dict(calls))


if __name__ == "__main__":
    unittest.main()
