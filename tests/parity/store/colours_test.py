"""Stains and colours that the store measures, against NumPy's arithmetic, scikit-image and OpenCV, on real tiles."""
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../support"))
from given import arguments, need_peers  # noqa: E402

a, rest = arguments("--source")
need_peers("cv2", "numpy", "skimage", "tifffile")

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import skimage.color  # noqa: E402
import tifffile  # noqa: E402

sys.path.insert(0, os.path.join(a.source, "plugins/augmentations/stain"))
import stain_statistics  # noqa: E402

TILES = os.path.join(a.source, "../shared/data/aidpath-tiles")
if not os.path.isdir(TILES):
    print("skipped: no tiles in", TILES)
    sys.exit(77)


def measured(pixels):
    """The formulas again, by other functions: singular values, lstsq, scikit-image."""
    od = np.log(255 / np.maximum(pixels.astype(float), 0.25))
    plane = np.linalg.svd(od - od.mean(0), full_matrices=False)[2][:2].T
    plane = plane * np.where(plane.sum(0) < 0, -1, 1)
    angles = np.arctan2(od @ plane[:, 1], od @ plane[:, 0])
    stains = np.abs([plane @ [np.cos(t), np.sin(t)] for t in np.percentile(angles, [1, 99])])
    stains /= np.linalg.norm(stains, axis=1, keepdims=True)
    stains = stains[np.argsort(-stains[:, 0])]
    amounts = np.linalg.lstsq(stains.T, od.T, rcond=None)[0]
    lab = skimage.color.rgb2lab(pixels[None])[0]
    return {"stains": stains, "strength": np.percentile(amounts, 99, axis=1), "lab_mean": lab.mean(0),
            "lab_deviation": lab.std(0)}


class Colours(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = scratch.name
        for kind in ("images", "masks"):
            os.makedirs(os.path.join(cls.folder, "data", kind))
            for name in ("10003.png", "10150.png", "10224.png"):
                shutil.copy(os.path.join(TILES, kind, name), os.path.join(cls.folder, "data", kind))
        with open(os.path.join(cls.folder, "e.toml"), "w") as file:
            file.write("""classes = ["glomerulus"]
sampler = { type = "uniform" }
[data]
store = "store"
factor = 4
factors = [1]
[[dataset]]
type = "image_folder"
root = "data"
colours = { glomerulus = [255, 0, 0] }
[model]
encoder = { type = "resnet18" }
decoder = { type = "unet" }
[loss]
terms = [ { type = "bce" } ]
""")
        subprocess.run([a.nephron, "prepare", "e.toml"], cwd=cls.folder, check=True)

    def levels(self, factor):
        """The record's colours, and the tissue of the level that is stained at all."""
        for record in sorted(glob.glob(os.path.join(self.folder, f"store/pictures/*/picture-{factor}.json"))):
            with open(record) as file:
                colours = json.load(file)["colours"]
            picture = tifffile.imread(record.replace(".json", ".tiff"))
            tissue = cv2.imread(record.replace(f"picture-{factor}.json", f"tissue-{factor}.png"), cv2.IMREAD_GRAYSCALE)
            self.assertEqual(tissue.shape, picture.shape[:2])  # a block is a pixel
            pixels = picture[tissue > 0]
            yield colours, pixels[(np.log(255 / np.maximum(pixels.astype(float), 0.25)) > 0.15).any(1)], picture[tissue == 0]

    def test_all_pixels_of_tissue_by_numpy(self):
        count = 0
        for colours, pixels, glass in self.levels(4):
            count += 1
            self.assertGreater(len(pixels), 5000)
            od = stain_statistics.densities(pixels)
            stains = stain_statistics.macenko(od)
            np.testing.assert_allclose(colours["stains"], stains, atol=1e-9)
            np.testing.assert_allclose(colours["strength"], np.percentile(od @ np.linalg.pinv(stains), 99, axis=0), rtol=1e-9)
            other = measured(pixels)
            np.testing.assert_allclose(colours["stains"], other["stains"], atol=1e-6)
            np.testing.assert_allclose(colours["strength"], other["strength"], rtol=1e-5)
            lab = cv2.cvtColor(pixels[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0].astype(float)
            np.testing.assert_allclose(colours["lab_mean"], lab.mean(0), atol=0.1)  # OpenCV interpolates roots
            np.testing.assert_allclose(colours["lab_deviation"], lab.std(0), atol=0.1)
            np.testing.assert_allclose(colours["lab_mean"], other["lab_mean"], atol=0.01)
            np.testing.assert_allclose(colours["lab_deviation"], other["lab_deviation"], atol=0.01)
            if len(glass) >= 100 and len(glass) <= 1 << 14:
                np.testing.assert_allclose(colours["background"], np.median(glass, 0), atol=0)
        self.assertEqual(count, 3)

    def test_a_part_of_the_pixels_says_nearly_the_same(self):
        for colours, pixels, _ in self.levels(1):
            other = measured(pixels)
            np.testing.assert_allclose(colours["stains"], other["stains"], atol=0.01)
            np.testing.assert_allclose(colours["strength"], other["strength"], rtol=0.02)
            np.testing.assert_allclose(colours["lab_mean"], other["lab_mean"], atol=0.2)
            np.testing.assert_allclose(colours["lab_deviation"], other["lab_deviation"], atol=0.2)


unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
