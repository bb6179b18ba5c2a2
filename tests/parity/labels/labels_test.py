"""nephron labels against the libraries that people use: OpenCV fills, NumPy encodes, pycocotools reads and writes."""
import glob
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../support"))
from given import arguments, need_peers  # noqa: E402

a, rest = arguments("--source")
need_peers("cv2", "numpy", "pycocotools", "tifffile")

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import tifffile  # noqa: E402
from pycocotools import mask as coco  # noqa: E402
from pycocotools.coco import COCO  # noqa: E402

SHARED = os.environ.get("NEPHRON_SHARED") or os.path.join(a.source, "..", "shared")
ANNOTATIONS = os.path.join(SHARED, "data", "hubmap-annotations")


def fill(parts, shape):
    """Each part alone, holes by the even-odd rule, on vertices cut to whole pixels."""
    mask = np.zeros(shape, np.uint8)
    for rings in parts:
        one = np.zeros(shape, np.uint8)
        cv2.fillPoly(one, [np.array(ring).astype(np.int32)[:, None] for ring in rings], 1)
        mask |= one
    return mask


def fill_joined(parts, shape):
    """As the reference pipeline: all rings are one."""
    mask = np.zeros(shape, np.uint8)
    points = np.concatenate([np.array(ring)[:, :2] for rings in parts for ring in rings]).astype(np.int32)
    cv2.fillPoly(mask, [points[:, None]], 1)
    return mask


def parts_of(feature):
    geometry = feature["geometry"]
    return {"Polygon": [geometry["coordinates"]], "MultiPolygon": geometry["coordinates"]}.get(geometry["type"], [])


def decode(text, shape):
    """Kaggle's run lengths, the slow and certain way."""
    flat = np.zeros(shape[0] * shape[1], np.uint8)
    words = list(map(int, text.split()))
    for start, length in zip(words[::2], words[1::2]):
        flat[start - 1:start - 1 + length] = 1
    return flat.reshape(shape[1], shape[0]).T


def encode(mask):
    flat = np.concatenate([[0], mask.T.ravel(), [0]])
    at = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    at[1::2] -= at[::2]
    return " ".join(map(str, at))


def random_features(rng, shape, count, classes):
    """Stars with holes, some of two parts, with fractions; inside the slide."""
    def ring(x, y, r):
        angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 30)))
        reach = r * rng.uniform(.5, 1, len(angles))
        points = np.stack([x + reach * np.cos(angles), y + reach * np.sin(angles)], 1)
        return np.clip(points, 0, [shape[1] - 1, shape[0] - 1]).round(2).tolist()

    features = []
    for i in range(count):
        polygons = []
        for _ in range(1 + (i % 5 == 0)):
            x, y, r = rng.uniform(0, shape[1]), rng.uniform(0, shape[0]), rng.uniform(2, 150)
            polygons.append([ring(x, y, r)] + [ring(x, y, r * .4)] * (i % 3 == 0))
        geometry = {"type": "Polygon", "coordinates": polygons[0]} if len(polygons) == 1 else \
            {"type": "MultiPolygon", "coordinates": polygons}
        features.append({"type": "Feature", "geometry": geometry,
                         "properties": {"classification": {"name": classes[i % len(classes)]}}})
    return features


class Labels(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = scratch.name

    def at(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, what):
        with open(self.at(name), "w") as f:
            f.write(what if isinstance(what, str) else json.dumps(what))
        return self.at(name)

    def convert(self, source, to, out, *options):
        command = [a.nephron, "labels", "convert", source, "--to", to, "--out", self.at(out), "--overwrite", *options]
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return self.at(out)

    def masks(self, csv_file, shape):
        """Mask by class."""
        with open(csv_file) as f:
            lines = f.read().splitlines()
        if lines[0] == "id,encoding":
            return {"": decode(lines[1].split(",")[1], shape)}
        return {line.split(",")[1]: decode(line.split(",")[2], shape) for line in lines[1:]}

    def test_polygons_are_filled_as_opencv_does(self):
        rng = np.random.default_rng(0)
        for round_ in range(4):
            shape = (1700 + 3 * round_, 2301)
            features = random_features(rng, shape, 80, ["G", "FC"])
            source = self.write("a.json", features)
            size = f"{shape[1]}x{shape[0]}"
            for compat, paint in (("parts", fill), ("reference", fill_joined)):
                found = self.masks(self.convert(source, "rle", "a.csv", "--size", size, "--compat", compat), shape)
                both = np.zeros(shape, np.uint8)
                for bit, name in enumerate(("G", "FC")):
                    expected = np.zeros(shape, np.uint8)
                    for feature in features:
                        if feature["properties"]["classification"]["name"] == name:
                            expected |= paint(parts_of(feature), shape)
                    np.testing.assert_array_equal(found[name], expected, f"{compat} {name}")
                    both |= expected << bit
                png = self.convert(source, "png", "a.png", "--size", size, "--compat", compat)
                np.testing.assert_array_equal(cv2.imread(png, cv2.IMREAD_UNCHANGED), both)
                tiff = self.convert(source, "tiff", "a.tif", "--size", size, "--compat", compat)
                np.testing.assert_array_equal(tifffile.imread(tiff), both)

    @unittest.skipUnless(os.path.isdir(ANNOTATIONS), "no shared data: set NEPHRON_SHARED")
    def test_hand_annotations_are_filled_as_opencv_does(self):
        files = []
        for file in glob.glob(os.path.join(ANNOTATIONS, "*.json")):
            with open(file) as f:
                features = [x for x in json.load(f) if parts_of(x)]
            points = np.concatenate([np.array(r) for x in features for rings in parts_of(x) for r in rings])
            files.append((points.max(), file, features, points.max(0).astype(int) + 10))
        files.sort(key=lambda x: x[0])
        for _, file, features, (width, height) in files[:6]:
            options = ("--size", f"{width}x{height}", "--unclassified", "G", "--classes", "G,FC")
            for compat, paint in (("parts", fill), ("reference", fill_joined)):
                tiff = tifffile.imread(self.convert(file, "tiff", "a.tif", *options, "--compat", compat))
                for bit, name in enumerate(("G", "FC")):
                    expected = np.zeros((height, width), np.uint8)
                    for feature in features:
                        if (feature["properties"].get("classification") or {"name": "G"})["name"] == name:
                            expected |= paint(parts_of(feature), expected.shape)
                    np.testing.assert_array_equal(tiff >> bit & 1, expected, f"{file} {compat} {name}")

    def test_run_lengths_are_kaggles(self):
        rng = np.random.default_rng(1)
        for shape in ((37, 53), (256, 200), (1, 40), (40, 1)):
            mask = (cv2.GaussianBlur(rng.random(shape), (9, 9), 3) > .5).astype(np.uint8)
            cv2.imwrite(self.at("m.png"), mask)
            with open(self.convert(self.at("m.png"), "rle", "m.csv")) as f:
                self.assertEqual(f.read(), f"id,encoding\nm,{encode(mask)}\n")
            back = self.convert(self.at("m.csv"), "png", "back.png", "--size", f"{shape[1]}x{shape[0]}")
            np.testing.assert_array_equal(cv2.imread(back, cv2.IMREAD_UNCHANGED), mask)

    def test_pycocotools_reads_what_is_written(self):
        rng = np.random.default_rng(2)
        mask = (cv2.GaussianBlur(rng.random((300, 410)), (0, 0), 5) > .505).astype(np.uint8)
        cv2.imwrite(self.at("m.png"), mask)
        data = COCO(self.convert(self.at("m.png"), "coco", "m.json", "--classes", "G"))
        count, components = cv2.connectedComponents(mask, connectivity=8)
        self.assertEqual(len(data.anns), count - 1)
        seen = np.zeros_like(mask)
        for annotation in data.anns.values():
            one = data.annToMask(annotation)
            label = components[one > 0][0]
            np.testing.assert_array_equal(one, components == label)
            packed = data.annToRLE(annotation)
            self.assertEqual(annotation["area"], coco.area(packed))
            self.assertEqual(annotation["bbox"], coco.toBbox(packed).tolist())
            self.assertEqual(data.cats[annotation["category_id"]]["name"], "G")
            seen |= one
        np.testing.assert_array_equal(seen, mask)

    def test_what_pycocotools_writes_is_read(self):
        rng = np.random.default_rng(3)
        shape = (211, 307)
        masks = [(cv2.GaussianBlur(rng.random(shape), (0, 0), 6) > .51).astype(np.uint8) for _ in range(2)]
        packed = coco.encode(np.asfortranarray(masks[0]))
        flat = masks[1].T.ravel()
        change = np.concatenate([[0], np.flatnonzero(np.diff(flat)) + 1, [flat.size]])
        counts = ([0] if flat[0] else []) + np.diff(change).tolist()
        polygon = [[30.5, 20, 150, 25.25, 170, 130, 90, 180, 25, 120]]
        name = {"images": [{"id": 7, "width": shape[1], "height": shape[0], "file_name": "x.png"}],
                "categories": [{"id": 3, "name": "a"}, {"id": 5, "name": "b"}, {"id": 6, "name": "c"}],
                "annotations": [
                    {"id": 1, "image_id": 7, "category_id": 3, "iscrowd": 0,
                     "segmentation": {"size": list(shape), "counts": packed["counts"].decode()}},
                    {"id": 2, "image_id": 7, "category_id": 5, "iscrowd": 1,
                     "segmentation": {"size": list(shape), "counts": counts}},
                    {"id": 3, "image_id": 7, "category_id": 6, "iscrowd": 0, "segmentation": polygon}]}
        found = self.masks(self.convert(self.write("c.json", name), "rle", "c.csv"), shape)
        np.testing.assert_array_equal(found["a"], masks[0])
        np.testing.assert_array_equal(found["b"], masks[1])
        theirs = coco.decode(coco.merge(coco.frPyObjects(polygon, *shape)))
        # Their polygons have corners between pixels, OpenCV's fill takes the boundary in.
        overlap = (found["c"] & theirs).sum() / (found["c"] | theirs).sum()
        self.assertGreater(overlap, .97)

    def test_polygons_keep_their_shape_on_the_way_through_coco(self):
        rng = np.random.default_rng(4)
        shape = (900, 1100)
        source = self.write("a.json", random_features(rng, shape, 30, ["G"]))
        size = f"{shape[1]}x{shape[0]}"
        data = COCO(self.convert(source, "coco", "a.coco.json", "--size", size))
        direct = self.masks(self.convert(source, "rle", "a.csv", "--size", size), shape)[""]
        back = self.masks(self.convert(self.at("a.coco.json"), "rle", "b.csv"), shape)[""]
        np.testing.assert_array_equal(back, direct)
        theirs = np.zeros(shape, np.uint8)
        for annotation in data.anns.values():
            theirs |= data.annToMask(annotation)
        self.assertGreater((direct & theirs).sum() / (direct | theirs).sum(), .97)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *rest])
