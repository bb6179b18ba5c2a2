"""Arrays over slides in Slurm: what several tasks prepare and predict is what one process does."""
import glob
import os
import unittest

from slurm_fixture import SlurmTest, main
from slide_files import write_png

EXPERIMENT = """
name = "tiny"
classes = ["glomerulus"]
sampler = { type = "uniform" }
[data]
factor = 1
tile = 32
folds = { count = 2 }
[[dataset]]
type = "image_folder"
root = "data"
[model]
encoder = { type = "resnet18" }
decoder = { type = "unet" }
[loss]
terms = [ { type = "bce" } ]
[train]
epochs = 1
steps_per_epoch = 2
batch = 2
threads = 1
"""


def files_in(folder):
    """Names and bytes of a prediction, but for what says which command made it."""
    out = {}
    for name in sorted(glob.glob(folder + "/**", recursive=True)):
        if os.path.isfile(name) and not name.endswith("predict.json"):
            with open(name, "rb") as f:
                out[os.path.relpath(name, folder)] = f.read()
    return out


class Slides(SlurmTest):
    def setUp(self):
        super().setUp()
        for name in ("data/images", "data/masks"):
            os.makedirs(os.path.join(self.work, name))
        for i in range(1, 6):
            write_png(f"{self.work}/data/images/s{i}.png", 96, 64, lambda x, y: (x * y + i) % 251)
            write_png(f"{self.work}/data/masks/s{i}.png", 96, 64, lambda x, y: 255 if 10 < x < 40 else 0)
        with open(f"{self.work}/tiny.toml", "w") as f:
            f.write(EXPERIMENT)

    def hand_over(self, *words):
        job = self.submit("--over-slides", "2", "--gpus", "0", "--", "nephron", *words)
        self.wait_for_end(job)
        return job

    def test_slides_are_prepared_by_several_tasks(self):
        job = self.hand_over("prepare", "tiny.toml", "--store", "store")
        said = self.good("logs", job)
        self.assertIn("3 slides prepared", said)
        self.assertIn("2 slides prepared", said)
        self.assertIn("0 slides prepared, 5 up to date, 0 failed", self.good("prepare", "tiny.toml", "--store", "store"))

    def test_what_several_tasks_predict_is_what_one_process_predicts(self):
        self.good("train", "tiny.toml", "--device", "cpu")
        with open(f"{self.work}/data/images/s6.png", "wb") as f:
            f.write(b"no picture")
        words = ("predict", "runs/tiny", "--images", "data/images", "--masks", "data/masks", "--device", "cpu",
                 "--checkpoint", "last", "--threshold", "search", "--save", "maps,masks,coco,submission")
        self.assertEqual(self.nephron(*words, "--out", "one").returncode, 1, "one picture is none")
        job = self.hand_over(*words, "--out", "several")
        self.wait_until(lambda: self.rows() == {}, self.said(job))  # the job that puts it together
        several, one = files_in(self.work + "/several"), files_in(self.work + "/one")
        self.assertEqual(sorted(several), sorted(one), self.good("logs", job))
        for name in one:
            self.assertEqual(several[name], one[name], name)


if __name__ == "__main__":
    main()
