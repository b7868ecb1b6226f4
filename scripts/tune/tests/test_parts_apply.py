"""A study's find becomes brkmmap's defaults, in both places, once; and only what was confirmed."""
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts/tune"))
import apply  # noqa: E402

TABLE, CATALOG = "allocators/brkmmap/tunables.def", "allocators/catalog/brkmmap.toml"


class Apply(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for name in (TABLE, CATALOG):
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.root / name)
        self.before = apply.defaults_of((self.root / TABLE).read_text())

    def report(self, tunables, held=True, allocator="brkmmap"):
        return {
            "allocator": allocator,
            "defaults": {k: str(v) for k, v in self.before.items()},
            "recommendation": {"number": 3 if tunables else None, "tunables": tunables},
            "check": {"held": held},
        }

    def test_the_table_and_the_catalog_change_together_and_only_once(self):
        new = {"purge_threshold": "32M", "dirty_percent": "70"}
        changed = apply.apply(self.report(new), self.root)
        self.assertEqual(
            changed,
            [
                ("purge_threshold", self.before["purge_threshold"], 32 * 1024**2),
                ("dirty_percent", self.before["dirty_percent"], 70),
            ],
        )
        self.assertEqual(
            apply.defaults_of((self.root / TABLE).read_text()),
            {**self.before, "purge_threshold": 32 * 1024**2, "dirty_percent": 70},
        )
        catalog = (self.root / CATALOG).read_text()
        self.assertIn('default = "33554432"', catalog)
        self.assertEqual(catalog.count("[[tunable]]"), len(self.before))
        self.assertEqual(apply.apply(self.report(new), self.root), [])

    def test_what_did_not_hold_is_not_applied(self):
        self.assertEqual(apply.apply(self.report({"dirty_percent": "70"}, held=False), self.root), [])
        self.assertEqual(apply.apply(self.report({}), self.root), [])

    def test_other_allocators_are_refused(self):
        with self.assertRaisesRegex(apply.CannotApply, "not glibc's"):
            apply.apply(self.report({}, allocator="glibc"), self.root)


if __name__ == "__main__":
    unittest.main()
