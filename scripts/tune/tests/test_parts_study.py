"""What the study asks of its database."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TUNE = Path(__file__).resolve().parents[1]


class Gone(unittest.TestCase):
    def test_a_database_that_is_gone_is_an_error_and_not_an_endless_loop(self):
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "gone"
            place.mkdir()
            script = f"""
import shutil, sys
sys.path.insert(0, {str(TUNE)!r})
import optuna, study
optuna.logging.disable_default_handler()
storage = study.storage_at("sqlite:///{place}/study.db")
optuna.create_study(storage=storage, study_name="s")
study_id = storage.get_study_id_from_name("s")
storage.create_new_trial(study_id)
storage.engine.dispose()
storage.scoped_session.remove()
shutil.rmtree({str(place)!r})
try:
    storage.create_new_trial(study_id)
except optuna.exceptions.StorageInternalError as error:
    print("gone:", error)
"""
            done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
        self.assertIn("gone: ", done.stdout, done.stderr)


if __name__ == "__main__":
    unittest.main()
