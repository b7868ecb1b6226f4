"""Resident memory of another process's glibc heap, from outside: what malloc handed out or keeps, and nothing else.

Anonymous memory alone would count stacks, data segments and what a program maps by itself (python's arenas, V8's heap).
Told apart by what glibc 2.26 and later write in front of their own: the break's [heap]; heaps of further arenas at
multiples of 64 MiB (heap_info); chunks of their own mapping (size, flag IS_MMAPPED). Needs the right to read process's memory.
"""
import ctypes
import errno
import os
import struct
import time
from array import array
from bisect import bisect_left

PAGE = 4096
ARENA_HEAP = 64 * 1024 * 1024  # HEAP_MAX_SIZE where M_MMAP_THRESHOLD_MAX is 32 MiB, as on 64 bits
IS_MMAPPED = 2
GONE = (errno.ESRCH, errno.ENOENT)  # what is said of a process that is gone
HEAD, IOV_MAX = 32, 1024  # bytes read of a page; iovecs of one call
PRESENT = 1 << 63


def arena_heap_bytes(address, head):
    """The length of an arena's heap that begins here, or 0."""
    if address % ARENA_HEAP or len(head) < 32:
        return 0
    arena, _, size, protected = struct.unpack_from("<QQQQ", head)
    fits = 0 < size <= protected <= ARENA_HEAP and size % PAGE == 0 and protected % PAGE == 0
    return protected if fits and arena % 16 == 0 and arena != 0 else 0


def mapped_chunk_bytes(head, room):
    """The length of a mapping that is one chunk and begins here, or 0."""
    if len(head) < 16:
        return 0
    before, size = struct.unpack_from("<QQ", head)
    whole = before + (size & ~7)
    return whole if size & 7 == IS_MMAPPED and before < PAGE and whole % PAGE == 0 and 0 < whole <= room else 0


def malloc_ranges(first, end, heads):
    """[(first, end)] within an anonymous mapping that are malloc's. heads: {address: the 32 bytes there} of resident
    pages; malloc's own always begin in one."""
    found, at = [], first
    for address in sorted(heads):
        if address < at:
            continue
        length = min(arena_heap_bytes(address, heads[address]), end - address) or mapped_chunk_bytes(
            heads[address], end - address
        )
        if length:
            found.append((address, address + length))
            at = address + length
    return found


class Heap:
    """Of one process. resident() is its heap's resident bytes; OSError once it has ended."""

    def __init__(self, pid):
        self._pid, self._maps = pid, f"/proc/{pid}/maps"
        self._pages = os.open(f"/proc/{pid}/pagemap", os.O_RDONLY)
        self._read = ctypes.CDLL(None, use_errno=True).process_vm_readv
        self._read.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong]
        self._read.restype = ctypes.c_ssize_t

    def close(self):
        os.close(self._pages)

    def _resident(self, first, end):
        """Addresses of the resident pages."""
        entries = array("Q", os.pread(self._pages, (end - first) // PAGE * 8, first // PAGE * 8))
        return [first + place * PAGE for place, entry in enumerate(entries) if entry & PRESENT]

    def _heads(self, addresses):
        """{address: the 32 bytes there} of those where malloc's own may begin. Only resident pages are read: others
        would become so."""
        found = {}
        for begin in range(0, len(addresses), IOV_MAX):
            some = addresses[begin : begin + IOV_MAX]
            there = array("Q", [HEAD]) * (2 * len(some))
            there[0::2] = array("Q", some)
            here = ctypes.create_string_buffer(HEAD * len(some))
            own = array("Q", [ctypes.addressof(here), HEAD * len(some)])
            if self._read(self._pid, own.buffer_info()[0], 1, there.buffer_info()[0], len(some), 0) < 0:
                raise OSError(ctypes.get_errno(), "process_vm_readv")
            words = array("Q", here.raw)
            for place, (address, size) in enumerate(zip(some, words[1::4])):
                if size & 7 == IS_MMAPPED or address % ARENA_HEAP == 0:
                    found[address] = here.raw[place * HEAD : place * HEAD + HEAD]
        return found

    def resident(self):
        total = 0
        with open(self._maps, encoding="ascii", errors="replace") as maps:
            for line in maps:
                fields = line.split()
                first, end = (int(word, 16) for word in fields[0].split("-"))
                if "w" not in fields[1]:
                    continue
                if len(fields) == 6 and fields[5] == "[heap]":
                    total += len(self._resident(first, end)) * PAGE
                elif len(fields) == 5 and fields[4] == "0":
                    pages = self._resident(first, end)
                    for begin, stop in malloc_ranges(first, end, self._heads(pages)):
                        total += (bisect_left(pages, stop) - bisect_left(pages, begin)) * PAGE
        return total


def watch(pid, ended, every_seconds=0.01):
    """[(Unix time in ns, resident bytes)] until the process is gone or ended() says so; rests five times what a look
    takes, so that it costs the program a sixth of a CPU at most."""
    samples, heap = [], None
    try:
        heap = Heap(pid)
        while not ended():
            began = time.monotonic()
            now = time.time_ns()
            try:
                samples.append((now, heap.resident()))
            except (OSError, ValueError) as error:
                if getattr(error, "errno", None) in GONE:
                    break
                # What was looked at was unmapped meanwhile: the next look sees the rest.
            time.sleep(max(every_seconds, 5 * (time.monotonic() - began)))
    except (OSError, ValueError):
        pass
    finally:
        if heap:
            heap.close()
    return [(when, held) for when, held in samples if held > 0]
