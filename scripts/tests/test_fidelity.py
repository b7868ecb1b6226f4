"""What scripts/fidelity is made of: the heap of another process seen from outside, and the comparison by hand-worked
figures.
"""
import errno
import struct
import subprocess
import sys
import unittest
import unittest.mock
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import fidelity_compare as compare  # noqa: E402
import glibc_heap  # noqa: E402

MIB = 1024 * 1024
HOLDER = """
import ctypes, mmap, sys
c = ctypes.CDLL(None)
c.malloc.restype = ctypes.c_void_p
kept = []
for size in [40 << 20] + [1000] * 20000:
    block = c.malloc(ctypes.c_size_t(size))
    ctypes.memset(block, 1, size)
    kept.append(block)
own = mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
for at in range(0, 64 << 20, 4096):
    own[at] = 1
print("ready", flush=True)
sys.stdin.read()
"""


class GlibcHeap(unittest.TestCase):
    def test_what_malloc_handed_out_is_counted_and_other_mappings_are_not(self):
        child = subprocess.Popen([sys.executable, "-S", "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(child.communicate)
        self.assertEqual(child.stdout.readline().strip(), "ready")
        try:
            heap = glibc_heap.Heap(child.pid)
        except PermissionError:
            self.skipTest("no right to look into another process")
        self.addCleanup(heap.close)
        self.assertGreaterEqual(heap.resident(), 40 * MIB + 20000 * 1000)
        self.assertLess(heap.resident(), 75 * MIB)  # python's own small blocks among it, the 64 MiB of mmap not

    def test_headers_are_told_from_other_words(self):
        self.assertEqual(glibc_heap.mapped_chunk_bytes(struct.pack("<QQQQ", 0, 0x101002, 0, 0), 0x200000), 0x101000)
        self.assertEqual(glibc_heap.mapped_chunk_bytes(struct.pack("<QQQQ", 0, 0x101003, 0, 0), 0x200000), 0)
        self.assertEqual(glibc_heap.mapped_chunk_bytes(struct.pack("<QQQQ", 0, 0x101002, 0, 0), 0x100000), 0)
        base = 7 * glibc_heap.ARENA_HEAP
        head = struct.pack("<QQQQ", base + 48, 0, 0x21000, 0x21000)
        self.assertEqual(glibc_heap.arena_heap_bytes(base, head), 0x21000)
        self.assertEqual(glibc_heap.arena_heap_bytes(base + 4096, head), 0)
        heads = {base: head, base + 0x20000: struct.pack("<QQQQ", 0, 0x1002, 0, 0)}
        self.assertEqual(glibc_heap.malloc_ranges(base, base + 0x40000, heads), [(base, base + 0x21000)])


class Compare(unittest.TestCase):
    def test_differences_are_means_over_time(self):
        real = [(0, 100), (10, 100), (20, 200), (30, 200)]
        same = compare.over_time(real, real)
        self.assertEqual((same["mean_difference"], same["share_of_time_within"], same["peak_ratio"]), (0, 1, 1))
        self.assertTrue(compare.holds(same))
        more = compare.over_time(real, [(when, held * 1.5) for when, held in real])
        self.assertAlmostEqual(more["mean_difference"], 0.5)
        self.assertEqual(more["share_of_time_within"], 0)
        self.assertFalse(compare.holds(more))
        self.assertIsNone(compare.over_time(real[:2], real))

    def test_pairs_that_are_close_have_no_order(self):
        real = {"a": 100, "b": 102, "c": 150}
        told = compare.orders(real, {"a": 130, "b": 100, "c": 200})
        self.assertEqual((told["pairs"], told["other_way_round"]), (2, []))
        told = compare.orders(real, {"a": 130, "b": 100, "c": 110})
        self.assertEqual([(p["less"], p["more"]) for p in told["other_way_round"]], [("a", "c")])


class Watching(unittest.TestCase):
    def test_a_look_that_fails_is_left_out_and_the_watch_goes_on_until_the_process_is_gone(self):
        looks = iter([100, OSError(errno.EFAULT, "unmapped"), 200, OSError(errno.ESRCH, "gone"), 300])

        class Heap:
            def __init__(self, pid):
                pass

            def resident(self):
                seen = next(looks)
                if isinstance(seen, OSError):
                    raise seen
                return seen

            def close(self):
                pass

        with unittest.mock.patch.object(glibc_heap, "Heap", Heap):
            samples = glibc_heap.watch(1, lambda: False, every_seconds=0)
        self.assertEqual([held for _, held in samples], [100, 200])


if __name__ == "__main__":
    unittest.main()
