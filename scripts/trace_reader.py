#!/usr/bin/python3
"""Reads a trace file as docs/trace-format.md describes it, and nothing else: a reader for scripts, and the proof that
the page suffices. `heapmark trace` is the tool for long traces.   Usage: scripts/trace_reader.py FILE

Prints a line an event: tick, thread, call, and what it has.
"""
import struct
import sys
from collections import namedtuple

import zstandard

HEADER = struct.Struct("<8s4I27Q")
HEADER_FIELDS = (
    "magic byte_order version header_bytes end file_bytes index_offset index_bytes index_raw_bytes text_bytes segments "
    "threads max_live_threads events objects tick_ns start_unix_ns duration_ticks pid max_live_objects max_live_bytes end_live_objects "
    "end_live_bytes max_segment_events max_segment_objects max_segment_raw_bytes max_segment_bytes "
    "repaired_inversions unknown_frees refused_requests lost_events checksum").split()
ENTRY = struct.Struct("<8Q")
ENTRY_FIELDS = "offset bytes raw_bytes events end_tick end_live_objects end_live_bytes peak_live_bytes".split()
CALLS = {1: "malloc", 2: "calloc", 3: "aligned", 4: "realloc", 5: "free", 6: "refused", 7: "start", 8: "end",
         9: "write"}
STAYED, WRITTEN = 0x80, 0x40

Header = namedtuple("Header", HEADER_FIELDS)
Entry = namedtuple("Entry", ENTRY_FIELDS)
# gives and takes: (thread, serial), or None; takes of a write is what is written to. pages: of 4 KiB, None where not told.
Event = namedtuple("Event", "tick thread call size pages alignment gives takes starts moved")


class Damaged(Exception):
    """The bytes are no whole trace of this version."""


def fnv1a(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


class Column:
    """Bytes that are read from the front."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def byte(self):
        if self.at == len(self.data):
            raise Damaged("a column ends too early")
        self.at += 1
        return self.data[self.at - 1]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def take(self, count):
        if count > len(self.data) - self.at:
            raise Damaged("a column ends too early")
        self.at += count
        return Column(self.data[self.at - count:self.at])


def unzigzag(value):
    return value >> 1 if value % 2 == 0 else -(value >> 1) - 1


class Trace:
    """A trace in memory: header, text, entries; events() of each segment by thread."""

    def __init__(self, data):
        if len(data) < HEADER.size or data[:8] != b"HMTRACE\0":
            raise Damaged("no heapmark trace")
        self.data, self.header = data, Header(*HEADER.unpack_from(data))
        header = self.header
        if header.byte_order != 0x01020304 or header.version not in (1, 2) or header.header_bytes != HEADER.size:
            raise Damaged("another version or byte order")
        if header.checksum != fnv1a(data[:HEADER.size - 8]):
            raise Damaged("the header is damaged")
        if header.index_offset == 0 or header.file_bytes != len(data):
            raise Damaged("not finished, or truncated")
        index = self.frame(header.index_offset, header.index_bytes, header.index_raw_bytes)
        self.entries = [Entry(*ENTRY.unpack_from(index, ENTRY.size * i)) for i in range(header.segments)]
        lines = index[ENTRY.size * header.segments:].decode("utf-8", "replace").splitlines()
        self.text = dict(line.split("\t", 1) for line in lines)

    def frame(self, offset, count, raw_count):
        try:
            raw = zstandard.ZstdDecompressor().decompress(self.data[offset:offset + count])
        except zstandard.ZstdError as error:
            raise Damaged(f"the frame at {offset}: {error}") from None
        if len(raw) != raw_count:
            raise Damaged(f"the frame at {offset} holds {len(raw)} bytes instead of {raw_count}")
        return raw

    def segments(self):
        """Yields for each segment the events of each of its threads, in the thread's order."""
        made, start = [0] * self.header.threads, 0
        for entry in self.entries:
            raw = Column(self.frame(entry.offset, entry.bytes, entry.raw_bytes))
            before = list(made)
            yield [part(raw, start, before, made, self.header.version) for _ in range(raw.varint())]
            start = entry.end_tick


def part(raw, tick, before, made, version):
    thread, count, *columns = (raw.varint() for _ in range(5))
    ops, (times, sizes, refs) = raw.take(count), [raw.take(column) for column in columns]
    events = []
    for _ in range(count):
        byte = ops.byte()
        op, moved, told = byte & ~(STAYED | WRITTEN), byte < STAYED, byte & WRITTEN
        if version < 2 and (told or op == 9) or told and op > 4:
            raise Damaged("pages where the version has none")
        tick += times.varint()
        alignment = 1 << sizes.byte() if op == 3 else None
        size = sizes.varint() if op in (1, 2, 3, 4, 6) else None
        pages = sizes.varint() if told or op == 9 else None
        takes = starts = gives = None
        if op in (4, 5, 9):
            ref = refs.varint()
            if ref % 2 == 0:
                takes = (thread, made[thread] - 1 - ref // 2)
            else:
                takes = (ref // 2, before[ref // 2] - unzigzag(refs.varint()))
        if op == 7:
            starts = refs.varint()
        if op <= 4:
            gives = (thread, made[thread])
            made[thread] += 1
        events.append(Event(tick, thread, CALLS[op], size, pages, alignment, gives, takes, starts, moved))
    return events


def words(event):
    named = (("size", event.size), ("pages", event.pages), ("alignment", event.alignment),
             ("gives", event.gives), ("takes", event.takes), ("starts", event.starts), ("stayed", None if event.moved else True))
    return " ".join([f"{event.tick} {event.thread} {event.call}", *(f"{name}={value}" for name, value in named
                                                                     if value is not None)])


def main(arguments):
    if len(arguments) != 1:
        print("Usage: trace_reader.py FILE", file=sys.stderr)
        return 2
    try:
        with open(arguments[0], "rb") as file:
            trace = Trace(file.read())
        for segment in trace.segments():
            for event in sorted((event for events in segment for event in events), key=lambda one: one.tick):
                print(words(event))
    except BrokenPipeError:
        return 1
    except (OSError, Damaged) as error:
        print(f"trace_reader: {arguments[0]}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
