"""`nephron data check`, and what training says, on folders as people make them: files without a partner, masks that label nothing."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../support"))
from given import arguments  # noqa: E402
from slide_files import write_png  # noqa: E402

a, rest = arguments()


class Check(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = scratch.name
        for i in range(10):
            self.picture(f"images/p{i}.png", i)
            self.mask(f"masks/p{i}.png")
        self.experiment()

    def at(self, name):
        path = os.path.join(self.folder, "my data", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def picture(self, name, i):
        write_png(self.at(name), 96, 64, lambda x, y: (x * (i + 3) + 7 * y) % 251)

    def mask(self, name, value=255, size=(96, 64)):
        write_png(self.at(name), *size, lambda x, y: value if 20 <= x < 40 and 20 <= y < 40 else 0)

    def experiment(self, classes='["glomerulus"]', more=""):
        with open(os.path.join(self.folder, "e.toml"), "w") as f:
            f.write(f"""classes = {classes}
sampler = {{ type = "uniform" }}
data = {{ tile = 32 }}
[[dataset]]
type = "image_folder"
root = "my data"
{more}
[model]
encoder = {{ type = "resnet18" }}
decoder = {{ type = "unet" }}
[loss]
terms = [ {{ type = "bce" }} ]
""")

    def nephron(self, *words, expect):
        done = subprocess.run([a.nephron, *words], cwd=self.folder, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done

    def check(self, expect=1):
        return self.nephron("data", "check", "e.toml", expect=expect).stdout

    def test_good_data_have_no_finding(self):
        self.assertEqual(self.check(0), "10 slides, 0 findings\n")

    def test_files_without_a_partner_are_named(self):
        os.remove(self.at("masks/p3.png"))
        self.assertIn('note: dataset "image_folder": 1 of 10 pictures has no mask, and is not trained on: "p3"; looked for my '
                      'data/masks/NAME.png\n10 slides, 0 findings, 1 note\n', self.check(0))
        for name in ("q", "r", "s", "t"):
            self.mask(f"masks/{name}.png")
        self.assertIn('dataset "image_folder": 4 masks have no picture: "q.png", "r.png", "s.png" and 1 more in my data/masks',
                      self.check())

    def test_a_name_with_a_line_break_stays_in_its_line(self):
        self.picture("images/q\nwarning: all is lost.png", 13)
        self.picture("images/r\nr.png", 14)
        self.mask("masks/r\nr.png", size=(64, 96))
        self.mask("masks/s\ns.png")
        said = self.check()
        self.assertEqual(len(said.splitlines()), 4, said)
        self.assertIn("q\\nwarning: all is lost", said)
        self.assertRegex(said, r"masks/r\\nr\.png has 64 x 96 px")
        self.assertIn('1 mask has no picture: "s\\ns.png"', said)

    def test_labels_that_are_missing_are_told(self):
        self.mask("masks/p4.png", 0)
        self.assertIn('note: dataset "image_folder": 1 of 10 annotations labels no pixel: "p4"', self.check(0))
        self.experiment('["glomerulus", "vessel"]')
        text = self.check()
        self.assertIn('class "vessel" has no labelled pixel in any slide: it cannot be learnt', text)
        self.assertIn('whatever is not black in a mask is "glomerulus", and nothing is "vessel"', text)
        self.experiment('["glomerulus", "vessel"]', "values = { glomerulus = 255 }")
        self.assertIn('values has no code of "vessel", so that masks never have it', self.check())
        for i in range(10):
            self.mask(f"masks/p{i}.png", 0)
        self.experiment()
        text = self.check()
        self.assertIn('10 of 10 annotations label no pixel: "p0", "p1", "p2" and 7 more', text)
        self.assertIn("10 slides, 1 finding\n", text)

    def test_a_mask_of_another_size_is_told(self):
        self.mask("masks/p5.png", size=(64, 96))
        text = self.check()
        self.assertRegex(text, r"my data/masks/p5\.png has 64 x 96 px, its image my data/images/p5\.png has 96 x 64")
        self.assertIn("9 of 10 slides, 1 finding\n", text)

    def test_training_without_masks_says_where_they_were_looked_for(self):
        shutil.rmtree(self.at("masks"))
        for command in (["train", "e.toml", "--device", "cpu"], ["data", "preview", "e.toml", "--out", "p.png"]):
            said = self.nephron(*command, expect=1).stderr
            self.assertIn("no slide has an annotation: nothing can be learnt from 10 slides", said)
            self.assertIn("looked for my data/masks/NAME.png", said)
            self.assertNotIn("data.folds.count", said)
        self.assertIn("no slide has an annotation: there is nothing to train on", self.check())


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *rest])
