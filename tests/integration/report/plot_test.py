"""`nephron plot` as a whole command: curves of runs as SVG and PNG."""
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../../support")]
import made_run  # noqa: E402
from given import arguments  # noqa: E402

a, rest = arguments()


class Plot(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = cls.scratch.name
        cls.first = made_run.make(f"{cls.folder}/a", a.nephron, validated=False)
        with open(f"{cls.first}/experiment.resolved.toml") as file:
            text = file.read()
        cls.seed = cls.run_like(text.replace("seed = 42", "seed = 7"), "seed")
        cls.other = cls.run_like(re.sub(r"(?m)^epochs = .*", "epochs = 9", text), "other")

    @classmethod
    def run_like(cls, text, name):
        folder = f"{cls.folder}/{name}/20260102-000000-fedcba"
        os.makedirs(folder)
        with open(f"{folder}/experiment.resolved.toml", "w") as out:
            out.write(text)
        for fold, best in ((0, 0.9), (1, 0.6)):
            made_run.write_fold(folder, fold, best)
        return folder

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def plot(self, *words, out="plot.svg", expect=0):
        done = subprocess.run([a.nephron, "plot", *words, "--out", out], cwd=self.folder, capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        if expect != 0:
            return done.stderr
        with open(os.path.join(self.folder, out), "rb") as file:
            return file.read()

    def svg(self, *words, out="plot.svg"):
        text = self.plot(*words, "--overwrite", out=out).decode()
        xml.etree.ElementTree.fromstring(text)
        return text

    def test_folds_of_a_run(self):
        svg = self.svg(self.first)
        for part in ("Validation Dice", "made-up, mean and range of 2 folds", "optimiser step", ">dice<", "#0072b2", "fill-opacity"):
            self.assertIn(part, svg)
        self.assertEqual(svg.count("<polygon"), 2)  # the ground, and the range
        self.assertNotIn("var(", svg)

    def test_seeds_are_one_line_and_other_settings_another(self):
        svg = self.svg(self.first, self.seed)
        self.assertIn("made-up, mean and range of 4 curves of 2 runs", svg)
        self.assertNotIn("#d55e00", svg)
        svg = self.svg(self.first, self.other, "--metric", "val_loss", "--title", "<Loss> & more")
        self.assertIn("made-up (train.epochs = 5), mean and range of 2 folds", svg)
        self.assertIn("made-up (train.epochs = 9), mean and range of 2 folds", svg)
        self.assertIn("#d55e00", svg)
        self.assertIn("stroke-dasharray", svg)
        self.assertIn("&lt;Loss&gt; &amp; more", svg)

    def test_one_fold_has_no_range(self):
        svg = self.svg(f"{self.first}/fold-1")
        self.assertEqual(svg.count("<polygon"), 1)
        self.assertIn(">made-up<", svg)

    def test_a_png_has_the_width_that_was_asked_for(self):
        png = self.plot(self.first, self.other, "--width", "800", out="plot.png")
        self.assertEqual(struct.unpack(">II", png[16:24]), (800, 500))
        self.assertIn("exists", self.plot(self.first, out="plot.png", expect=1))

    def test_what_cannot_be_drawn_is_told(self):
        said = self.plot(self.first, "--metric", "dyce", out="never.svg", expect=2)
        self.assertIn('no run has a figure "dyce"; there are dice, loss, lr, val_loss', said)
        self.assertIn("must end so", self.plot(self.first, out="plot.jpg", expect=2))
        self.assertIn("named twice", self.plot(self.first, self.first, out="never.svg", expect=2))
        self.plot(f"{self.folder}/nothing", out="never.svg", expect=1)
        metrics = f"{self.other}/fold-0/metrics.jsonl"
        with open(metrics) as file:
            sound = file.read()
        with open(metrics, "w") as out:
            out.write(sound.replace('"dice"', 'dice', 1))
        self.assertIn("metrics.jsonl:9", self.plot(self.other, out="never.svg", expect=1))
        with open(metrics, "w") as out:
            out.write(json.dumps({"step": 1, "loss": 1}) + "\n")
        os.rename(f"{self.other}/fold-1", f"{self.other}/gone")
        said = self.plot(self.first, self.other, out="never.svg", expect=1)
        os.rename(f"{self.other}/gone", f"{self.other}/fold-1")
        with open(metrics, "w") as out:
            out.write(sound)
        self.assertIn('has no figure "dice" yet', said)
        self.assertFalse(os.path.exists(f"{self.folder}/never.svg"))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
