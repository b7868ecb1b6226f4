"""scripts/keep: what it takes out of a results file that is to be committed, and what it must leave."""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import compressed  # noqa: E402
import example_results  # noqa: E402

ROOT = HERE.parents[2]


class Keep(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "results.json"

    def keep(self, text):
        self.file.write_text(text)
        return subprocess.run([str(ROOT / "scripts/keep"), str(self.file)], capture_output=True, text=True, check=False)

    def test_every_figure_stays_and_of_the_tables_what_is_drawn_of_the_first_trial(self):
        results = example_results.make()
        first = next(r for r in results["records"] if "samples" in r["tables"] and r["outcome"] == "ok")
        results["records"].append({**first, "round": 1})
        first["tables"]["kernel_events"] = {"columns": ["kind"], "rows": [[1]]}
        first["library"] = f"{ROOT}/build/release/libx.so"
        done = self.keep(json.dumps(results))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertFalse(self.file.exists())
        kept = json.loads(compressed.read_text(self.file.with_name("results.json.zst")))
        self.assertEqual({k: v for k, v in kept.items() if k != "records"},
                         {k: v for k, v in results.items() if k != "records"})
        for old, new in zip(results["records"], kept["records"], strict=True):
            self.assertEqual({**old, "tables": 0, "library": 0}, {**new, "tables": 0, "library": 0})
        same = kept["records"][results["records"].index(first)]
        self.assertEqual(same["library"], "build/release/libx.so")
        self.assertEqual(same["tables"]["samples"], first["tables"]["samples"])
        self.assertNotIn("kernel_events", same["tables"])
        self.assertEqual(kept["records"][-1]["tables"], {})

    def test_what_is_no_results_file_is_refused_and_left_as_it_was(self):
        for text in ("{", "[]", '{"records": 1}'):
            done = self.keep(text)
            self.assertEqual(done.returncode, 1)
            self.assertIn(str(self.file), done.stderr)
            self.assertEqual(self.file.read_text(), text)


if __name__ == "__main__":
    unittest.main()
