"""Dataset coco against pycocotools: the labels that a training would see, read from the store that `prepare` writes."""
import glob
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../support"))
from given import arguments, need_peers  # noqa: E402

a, rest = arguments()
need_peers("cv2", "numpy", "pycocotools", "tifffile")

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import tifffile  # noqa: E402
from pycocotools import mask as coco  # noqa: E402
from pycocotools.coco import COCO  # noqa: E402

SHAPES = [(211, 307), (64, 500), (333, 90), (1, 77), (250, 250), (128, 129)]


def random_mask(rng, shape):
    noise = cv2.GaussianBlur(rng.random(shape), (0, 0), 4)
    return (noise > np.median(noise)).astype(np.uint8)


def counts_of(mask):
    """Uncompressed counts, the slow and certain way."""
    flat = mask.T.ravel()
    change = np.concatenate([[0], np.flatnonzero(np.diff(flat)) + 1, [flat.size]])
    return ([0] if flat[0] else []) + np.diff(change).tolist()


def star(rng, shape):
    """A polygon with fractions, up to the picture's edges."""
    h, w = shape
    angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 40)))
    reach = rng.uniform(.4, 1, len(angles)) * rng.uniform(5, 60)
    points = np.stack([rng.uniform(0, w) + reach * np.cos(angles), rng.uniform(0, h) + reach * np.sin(angles)], 1)
    return np.clip(points, 0, [w - 1, h - 1]).round(2).ravel().tolist()


def distance(pixels, rings):
    """Of the middles of pixels (y, x) from the nearest outline."""
    points = pixels[:, None, ::-1] + .5
    out = np.full(len(points), np.inf)
    for ring in rings:
        start = np.array(ring).reshape(1, -1, 2)
        side = np.roll(start, -1, 1) - start
        along = ((points - start) * side).sum(2) / np.maximum((side ** 2).sum(2), 1e-12)
        nearest = start + np.clip(along, 0, 1)[..., None] * side
        out = np.minimum(out, np.linalg.norm(points - nearest, axis=2).min(1))
    return out


class CocoDataset(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = scratch.name
        self.data = {"images": [], "annotations": [],
                     "categories": [{"id": 3, "name": "packed"}, {"id": 5, "name": "counted"}, {"id": 9, "name": "drawn"}]}
        os.mkdir(self.at("images"))

    def at(self, *names):
        return os.path.join(self.folder, *names)

    def picture(self, number, shape):
        rng = np.random.default_rng(number)
        cv2.imwrite(self.at("images", f"p{number}.png"), rng.integers(0, 255, (*shape, 3), dtype=np.uint8))
        self.data["images"].append(
            {"id": number, "file_name": f"p{number}.png", "width": shape[1], "height": shape[0]})

    def annotation(self, image, category, segmentation, crowd=0):
        self.data["annotations"].append({"id": len(self.data["annotations"]) + 1, "image_id": image, "iscrowd": crowd,
                                         "category_id": category, "segmentation": segmentation, "area": 1, "bbox": []})

    def run_nephron(self, *words, expect=0):
        with open(self.at("annotations.json"), "w") as f:
            json.dump(self.data, f)
        with open(self.at("e.toml"), "w") as f:
            f.write("""classes = ["packed", "counted", "drawn"]
sampler = { type = "uniform" }
data = { tile = 32, store = "store" }
[[dataset]]
type = "coco"
root = "."
[model]
encoder = { type = "resnet18" }
decoder = { type = "unet" }
[loss]
terms = [ { type = "bce" } ]
""")
        done = subprocess.run([a.nephron, *words], cwd=self.folder, capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def labels(self):
        """Label bits of every picture at factor 1, by its number."""
        self.run_nephron("prepare", "e.toml", "--factors", "1")
        out = {}
        for number in (image["id"] for image in self.data["images"]):
            file, = glob.glob(self.at("store", "labels", f"p{number}-*", "labels-1.tiff"))
            out[number] = tifffile.imread(file, key=0)
        return out

    def theirs(self, image, category):
        data = COCO(self.at("annotations.json"))
        shape = [(i["height"], i["width"]) for i in self.data["images"] if i["id"] == image][0]
        mask = np.zeros(shape, np.uint8)
        for one in data.loadAnns(data.getAnnIds(imgIds=[image], catIds=[category])):
            mask |= data.annToMask(one)
        return mask

    def test_run_lengths_are_equal(self):
        rng = np.random.default_rng(1)
        for number, shape in enumerate(SHAPES):
            self.picture(number, shape)
            for _ in range(2):
                packed = coco.encode(np.asfortranarray(random_mask(rng, shape)))
                self.annotation(number, 3, {"size": list(shape), "counts": packed["counts"].decode()})
            self.annotation(number, 5, {"size": list(shape), "counts": counts_of(random_mask(rng, shape))}, crowd=1)
        self.picture(len(SHAPES), (40, 50))
        self.annotation(len(SHAPES), 5, {"size": [40, 50], "counts": [0, 2000]})
        self.annotation(len(SHAPES), 3, {"size": [40, 50], "counts": [2000]})
        for number, found in self.labels().items():
            np.testing.assert_array_equal(found & 1, self.theirs(number, 3))
            np.testing.assert_array_equal(found >> 1 & 1, self.theirs(number, 5))

    def test_polygons_are_equal_but_along_the_edge(self):
        """Corners of a COCO polygon lie between pixels: pycocotools takes the pixels whose middle is inside, with
        corners rounded to a fifth of a pixel. nephron draws as OpenCV's fillPoly does: corners are cut to whole pixels
        (.71 px from where they were, at most), the line between them is drawn too (half a pixel from where it runs).
        Hence the masks may differ only where a pixel's middle is within 1.21 px of an outline, and ours has more."""
        rng = np.random.default_rng(2)
        rings = {}
        for number, shape in enumerate([(400, 500), (90, 700), (333, 301), (128, 129)] * 3):
            self.picture(number, shape)
            parts = [[star(rng, shape) for _ in range(rng.integers(1, 4))] for _ in range(6)]
            for part in parts:
                self.annotation(number, 9, part)
            rings[number] = sum(parts, [])
        for number, found in self.labels().items():
            ours, theirs = found >> 2, self.theirs(number, 9)
            self.assertGreater(theirs.sum(), 500)
            self.assertGreater(ours.sum(), theirs.sum())
            self.assertLessEqual(distance(np.argwhere(ours != theirs), rings[number]).max(), 1.21, f"picture {number}")

    def test_the_plugin_passes_its_check(self):
        for number, shape in enumerate(SHAPES):
            self.picture(number, shape)
            self.annotation(number, 9, [[0, 0, shape[1], 0, shape[1] / 2, shape[0]]])
        said = self.run_nephron("plugins", "check", "coco", "--set", "root=" + self.folder, "--classes",
                                "packed,counted,drawn")
        self.assertIn("14 passed, 0 failed, 1 skipped", said)

    def test_a_fault_is_told_of_its_slide(self):
        for number in range(10):
            self.picture(number, (64, 96))
            self.annotation(number, 9, [[10, 10, 40, 12, 30, 50]])
        self.data["annotations"][4]["segmentation"] = {"size": [64, 96], "counts": [5, -1]}
        os.rename(self.at("images/p7.png"), self.at("images/q.png"))
        said = self.run_nephron("data", "check", "e.toml", expect=1)
        self.assertIn("annotation 5 (id 5): count 2 of the run lengths (-1) leaves the mask", said)
        self.assertIn("image 8 (id 7): its picture", said)
        self.assertIn('1 entry has no picture: "p7.png"', said)
        self.assertIn("1 picture has no entry", said)
        self.data["annotations"].append({**self.data["annotations"][0], "id": 99, "image_id": 77})
        self.assertIn("annotation 11 (id 99): it is of image 77, which \"images\" does not list",
                      self.run_nephron("data", "check", "e.toml", expect=1))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *rest])
