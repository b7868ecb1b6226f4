"""scripts/check in a repository of its own: what it looks at, what it finds, and what --fix changes."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("clang-format-14", "git-clang-format-14", "clang-tidy-14", "shellcheck", "pyflakes3")
UGLY = "int   main( ) {return 0;}\n"


@unittest.skipUnless(all(shutil.which(tool) for tool in TOOLS), "scripts/setup installs what scripts/check needs")
class Check(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "scripts").mkdir()
        shutil.copy(ROOT / "scripts/check", self.folder / "scripts")
        shutil.copy(ROOT / ".clang-format", self.folder)
        self.git("init", "-q", "-b", "main")
        self.write("old.cc", UGLY)
        self.commit()
        self.write("second.txt", "nothing to check\n")
        self.commit()

    def git(self, *arguments):
        who = {f"GIT_{role}_{key}": "test" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
        subprocess.run(["git", "-C", self.folder, *arguments], check=True, capture_output=True,
                       env={**os.environ, **who})

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "more")

    def write(self, name, text):
        (self.folder / name).write_text(text)

    def check(self, *arguments):
        done = subprocess.run([self.folder / "scripts/check", *arguments], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def test_what_did_not_change_is_left_alone_unless_all_is_asked_for(self):
        code, said = self.check()
        self.assertEqual(code, 0, said)
        code, said = self.check("--all")
        self.assertEqual(code, 1, said)
        self.assertIn("old.cc", said)

    def test_each_tool_finds_its_fault_in_new_files_and_fix_formats(self):
        self.write("new.cc", UGLY)
        self.write("run.sh", "#!/bin/sh\ncd \"$1\"\nfor f in $(ls); do rm $f; done\nexit $undefined_here\n")
        self.write("tool.py", "import os\n")
        code, said = self.check()
        self.assertEqual(code, 1, said)
        for expected in ("new.cc", "run.sh", "'os' imported but unused"):
            self.assertIn(expected, said)
        self.assertNotIn("old.cc", said)
        self.check("--fix")
        self.assertNotEqual((self.folder / "new.cc").read_text(), UGLY)
        self.assertEqual((self.folder / "old.cc").read_text(), UGLY)

    def test_only_changed_lines_of_a_file_must_be_formatted(self):
        self.write("old.cc", UGLY + "int other() {\n  return 1;\n}\n")
        self.commit()
        code, said = self.check()
        self.assertEqual(code, 0, said)
        self.write("old.cc", UGLY + "int other() {\n  return   1;\n}\n")
        code, said = self.check()
        self.assertEqual(code, 1, said)

    def test_an_unknown_base_is_refused(self):
        code, said = self.check("--base", "nowhere")
        self.assertEqual(code, 2)
        self.assertIn("nowhere", said)


if __name__ == "__main__":
    unittest.main()
