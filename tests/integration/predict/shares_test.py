"""nephron predict --share and --gather: what several processes predict, each by itself, is what one predicts."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../support"))
from given import arguments  # noqa: E402
from tiny_training import EXPERIMENT, files_of_prediction, write_experiment, write_training  # noqa: E402

a, rest = arguments()


class Shares(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="nephron-shares-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.environment = {k: v for k, v in os.environ.items() if not k.startswith("NEPHRON_")}
        cls.environment["OMP_NUM_THREADS"] = "1"
        write_training(cls.folder, pictures=5)
        write_experiment(cls.folder, EXPERIMENT.replace("epochs = 4", "epochs = 1"))
        done = cls.nephron("train", "tiny.toml", "--device", "cpu")
        assert done.returncode == 0, done.stderr
        cls.words = ("predict", "runs/tiny", "--images", "data/images", "--masks", "data/masks", "--device", "cpu",
                     "--checkpoint", "last", "--save", "maps,masks,coco,submission")

    @classmethod
    def nephron(cls, *words):
        return subprocess.run([a.nephron, *words], capture_output=True, text=True, timeout=180, cwd=cls.folder,
                              env=cls.environment)

    def predict(self, out, *words, code=0):
        done = self.nephron(*self.words, "--out", out, *words)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def expect_equal(self, several, one):
        several, one = (files_of_prediction(os.path.join(self.folder, name)) for name in (several, one))
        self.assertEqual(sorted(several), sorted(one))
        for name in one:
            self.assertEqual(several[name], one[name], name)

    def test_shares_are_put_together(self):
        self.predict("one", "--threshold", "search")
        for share in ("2/3", "1/3", "3/3"):
            self.predict("several", "--threshold", "search", "--share", share)
        self.assertIn("0 pictures, 2 were finished before", self.predict("several", "--threshold", "search", "--share",
                                                                         "1/3"), "it goes on with its own")
        # Another threshold is another prediction.
        self.assertIn("another threshold", self.predict("several", "--threshold", "0.4", "--share", "1/3", code=1))
        said = self.predict("several", "--threshold", "search", "--gather")
        self.assertIn("put together", said)
        self.assertFalse(os.path.exists(self.folder + "/several/shares"))
        self.expect_equal("several", "one")
        self.predict("several", "--threshold", "search", "--gather")  # once more is no harm
        self.expect_equal("several", "one")
        self.assertIn("holds a prediction already", self.predict("several", "--share", "1/3", code=1))

    def test_shares_are_measured_at_the_threshold_of_all(self):
        how = ("--threshold", "search", "--metrics", "dice,brier,counts")
        self.predict("measured_one", *how)
        for share in ("1/2", "2/2"):
            self.predict("measured", *how, "--share", share)
        self.predict("measured", *how, "--gather")
        self.expect_equal("measured", "measured_one")
        self.assertTrue(os.path.exists(self.folder + "/measured/slides.csv"))
        # One share is late: nothing is measured before the threshold of all is known.
        self.predict("measured_late", *how, "--share", "1/2")
        self.predict("measured_late", *how, "--gather", code=1)
        self.assertIn("predicted 2 pictures, 3 were finished before",
                      self.predict("measured_late", *how, "--continue"))
        self.expect_equal("measured_late", "measured_one")

    def test_what_no_share_has_predicted_is_named_and_can_follow(self):
        self.predict("alone")
        self.predict("late", "--share", "1/2")
        said = self.predict("late", "--gather", code=1)
        self.assertIn("2 pictures of 5 were predicted by no share (\"s2\", \"s4\")", said)
        self.predict("late", "--continue")
        self.expect_equal("late", "alone")
        self.assertIn("no share of a prediction is in", self.predict("nothing", "--gather", code=1))

    def test_shares_of_two_kinds_are_not_mixed(self):
        self.predict("mixed", "--share", "1/2")
        self.predict("mixed", "--share", "2/2", "--threshold", "0.4")
        self.assertIn("was predicted with other settings than", self.predict("mixed", "--gather", code=1))
        for bad in ("0/2", "3/2", "x"):
            self.assertIn("K/N was expected", self.predict("bad", "--share", bad, code=2))
        self.assertFalse(os.path.exists(self.folder + "/bad"))

    def test_a_kill_while_files_are_moved_loses_nothing(self):
        self.predict("whole")
        for share in ("1/2", "2/2"):
            self.predict("moved", "--share", share)
        # As if it had been killed after some files of the first share; what says that it is a prediction comes first.
        shutil.copy(self.folder + "/moved/shares/1-of-2/predict.json", self.folder + "/moved/predict.json")
        for part in ("pictures", "masks/glomerulus"):
            os.makedirs(f"{self.folder}/moved/{part}")
            name = os.listdir(f"{self.folder}/moved/shares/1-of-2/{part}")[0]
            os.rename(f"{self.folder}/moved/shares/1-of-2/{part}/{name}", f"{self.folder}/moved/{part}/{name}")
        self.predict("moved", "--gather")
        self.expect_equal("moved", "whole")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *rest])
