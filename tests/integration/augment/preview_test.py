"""`nephron augment preview`: what it draws, on an experiment's data and on a picture."""
import os
import re
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../support"))
from given import arguments  # noqa: E402
from slide_files import write_png  # noqa: E402

a, rest = arguments()

TILE, CAPTION, GAP = 64, 16, 4
RED = (230, 20, 20)  # the outline of the first class

EXPERIMENT = """classes = ["glomerulus"]
sampler = { type = "guided" }
[data]
tile = 64
folds = { count = 2 }
[[dataset]]
type = "image_folder"
root = "data"
[[augmentation]]
type = "flip"
[[augmentation]]
type = "one_of"
p = 0.5
of = [ { type = "rgb_shift", p = 0.01 }, { type = "gaussian_blur", limit = [7, 7] } ]
[[batch_augmentation]]
type = "cutmix"
[model]
encoder = { type = "resnet18" }
decoder = { type = "unet" }
[loss]
terms = [ { type = "bce" } ]
"""


def read_png(path):
    """Width, height and rows of RGB bytes."""
    with open(path, "rb") as file:
        data = file.read()
    width, height = struct.unpack(">II", data[16:24])
    body, at = b"", 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body += data[at + 8:at + 8 + length] if kind == b"IDAT" else b""
        at += length + 12
    raw, rows, above = zlib.decompress(body), [], bytes(3 * width)
    for y in range(height):
        kind, line = raw[y * (3 * width + 1)], bytearray(raw[y * (3 * width + 1) + 1:(y + 1) * (3 * width + 1)])
        for x in range(3 * width):
            left, up, corner = (line[x - 3] if x > 2 else 0), above[x], (above[x - 3] if x > 2 else 0)
            nearest = min((left, up, corner), key=lambda v: abs(left + up - corner - v))
            line[x] = (line[x] + (0, left, up, (left + up) // 2, nearest)[kind]) % 256
        rows.append(bytes(line))
        above = line
    return width, height, rows


def part(rows, column, row):
    """Pixels of a picture of the grid; column 0 is the original."""
    top, left = row * (TILE + 2 * CAPTION + GAP) + CAPTION, column * (TILE + GAP)
    return [rows[y][3 * left:3 * (left + TILE)] for y in range(top, top + TILE)]


def colours(pixels):
    return {tuple(line[i:i + 3]) for line in pixels for i in range(0, len(line), 3)}


class Preview(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = cls.scratch.name
        for name in ("data/images", "data/masks"):
            os.makedirs(os.path.join(cls.folder, name))
        for i in range(2):
            write_png(os.path.join(cls.folder, f"data/images/{i}.png"), 160, 140, lambda x, y: (x * 3 + y * y + 40 * i) % 251)
            write_png(os.path.join(cls.folder, f"data/masks/{i}.png"), 160, 140,
                      lambda x, y: 255 if 50 < x < 90 and 40 < y < 80 else 0)
        cls.write("e.toml", EXPERIMENT)
        cls.write("away.toml", EXPERIMENT.replace('"data"', '"nowhere"'))

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    @classmethod
    def write(cls, name, text):
        with open(os.path.join(cls.folder, name), "w") as file:
            file.write(text)

    def preview(self, *words, expect=0):
        done = subprocess.run([a.nephron, "augment", "preview", *words], cwd=self.folder, capture_output=True, text=True,
                              timeout=120)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def picture(self, name):
        return read_png(os.path.join(self.folder, name))

    def test_a_picture_is_normalised_as_its_prediction_is(self):
        """By the colours of the whole picture, of which the middle alone is shown."""
        def pixel(x, y):
            if not 40 < y < 360:
                return (250, 250, 250)
            return (170 + (x * 7 + y * 3) % 40, 60 + (x + y) % 40, 140 + (x * y) % 50) if x % 5 else (90, 40, 120 + x % 60)
        write_png(os.path.join(self.folder, "stained.png"), 400, 400, pixel)
        chain = EXPERIMENT.replace('[[augmentation]]', """[[augmentation]]
type = "normalise"
of = [ { type = "reinhard", share = [1, 1], to = { mean = [70, 5, 20], deviation = [8, 4, 4] } } ]
[[augmentation]]""", 1)
        self.write("normalised.toml", chain)
        self.preview("e.toml", "--image", "stained.png", "--out", "as-it-is.png", "--n", "1")
        self.preview("normalised.toml", "--image", "stained.png", "--out", "normalised.png", "--n", "1")
        as_it_is = part(self.picture("as-it-is.png")[2], 0, 0)
        normalised = part(self.picture("normalised.png")[2], 0, 0)
        mean = lambda pixels, c: sum(line[i] for line in pixels for i in range(c, len(line), 3)) / TILE ** 2
        self.assertGreater(mean(as_it_is, 2) - mean(as_it_is, 1), 50, "purple")
        self.assertLess(mean(normalised, 2), mean(normalised, 1), "yellow, as the target says")

    def test_a_grid_has_the_chain_and_each_component(self):
        out = self.preview("e.toml", "--out", "grid.png", "--n", "3")
        self.assertRegex(out, r"grid.png: 5 rows of 3 draws; Window \d+ of the training: [01] -?\d+,-?\d+")
        width, height, rows = self.picture("grid.png")
        self.assertEqual((width, height), (4 * (TILE + GAP) - GAP, 5 * (TILE + 2 * CAPTION + GAP)))
        original = part(rows, 0, 0)
        for row in range(4):
            self.assertEqual(part(rows, 0, row), original, "another original")
            self.assertIn(RED, colours(part(rows, 0, row)))
        for draw in (1, 2, 3):
            self.assertIn(RED, colours(part(rows, draw, 1)), "labels are not outlined where they are mirrored to")
            self.assertNotEqual(part(rows, draw, 2), original, "a component by itself is not always applied")
            self.assertEqual(part(rows, draw, 3), part(rows, 1, 3), "a blur of one width is drawn otherwise")
        self.assertGreater(len({tuple(part(rows, draw, 1)) for draw in (0, 1, 2, 3)}), 1, "nothing is mirrored")

    def test_a_seed_is_what_is_drawn(self):
        shown = []
        for name, more in (("a.png", []), ("b.png", []), ("c.png", ["--seed", "7"])):
            self.preview("e.toml", "--out", name, "--n", "4", "--component", "rgb_shift", *more)
            shown.append(self.picture(name))
        self.assertEqual(shown[0], shown[1])
        self.assertNotEqual(shown[0], shown[2])
        self.assertEqual(part(shown[0][2], 0, 0), part(shown[2][2], 0, 0), "another window")
        self.assertNotEqual(part(shown[0][2], 1, 0), part(shown[0][2], 2, 0))

    def test_a_page_needs_nothing_but_itself(self):
        self.preview("e.toml", "--out", "page.html", "--n", "2")
        with open(os.path.join(self.folder, "page.html")) as file:
            page = file.read()
        self.assertEqual(re.findall("<h2>(.*?)</h2>", page), ["the whole chain", "flip", "rgb_shift", "gaussian_blur", "cutmix"])
        sources = re.findall('(?:src|href)="([^"]*)"', page)
        self.assertEqual(len(sources), 5 * 3)
        self.assertTrue(all(s.startswith("data:image/jpeg;base64,") for s in sources))
        self.assertIn("augmentation[1].of[1] { limit = [7, 7] }", page)
        self.assertIn("glomerulus", page)

    def test_a_picture_in_place_of_data(self):
        out = self.preview("away.toml", "--image", "data/images/1.png", "--out", "one.png", "--n", "2", "--component", "flip")
        self.assertIn("the middle, 96 px wide", out)
        _, _, rows = self.picture("one.png")
        self.assertNotIn(RED, colours(part(rows, 0, 0)))
        expected = [[(x * 3 + y * y + 40) % 251 for x in range(48, 112)] for y in range(38, 102)]
        self.assertEqual([list(line[::3]) for line in part(rows, 0, 0)], expected)
        write_png(os.path.join(self.folder, "small.png"), 40, 30, lambda x, y: (x * y) % 251)
        self.assertIn("30 px wide", self.preview("away.toml", "--image", "small.png", "--out", "small-out.png"))
        self.assertIn("nobody.png", self.preview("away.toml", "--image", "nobody.png", "--out", "x.png", expect=2))

    def test_a_picture_is_shown_at_the_level_of_the_experiment(self):
        write_png(os.path.join(self.folder, "large.png"), 400, 300, lambda x, y: 10 * (x // 2 % 20) + y // 2 % 20)
        out = self.preview("away.toml", "--image", "large.png", "--out", "half.png", "--n", "1", "--component", "flip",
                           "--set", "data.factor=2")
        self.assertIn("the middle, 96 px wide at factor 2", out)
        _, _, rows = self.picture("half.png")
        expected = [[10 * (x % 20) + y % 20 for x in range(68, 132)] for y in range(43, 107)]
        self.assertEqual([list(line[::3]) for line in part(rows, 0, 0)], expected)

    def test_what_holds_others_is_shown_as_a_whole_where_it_is_asked_for(self):
        self.assertIn("1 row of 12 draws", self.preview("e.toml", "--out", "one_of.png", "--n", "12", "--component", "one_of"))
        _, _, rows = self.picture("one_of.png")
        drawn = {tuple(part(rows, draw, 0)) for draw in range(1, 13)}
        self.assertGreater(len(drawn), 0)
        self.assertNotIn(tuple(part(rows, 0, 0)), drawn, "it is not always applied")
        self.preview("e.toml", "--out", "one_of.html", "--n", "12", "--component", "one_of")
        with open(os.path.join(self.folder, "one_of.html")) as file:
            page = file.read()
        self.assertEqual(re.findall("<h2>(.*?)</h2>", page), ["one_of"])
        self.assertIn("augmentation[1] of rgb_shift, gaussian_blur", page)
        self.assertIn("<figcaption>gaussian_blur</figcaption>", page)

    def test_presets_and_settings_are_shown(self):
        out = self.preview("away.toml", "--image", "data/images/1.png", "--out", "light.html", "--n", "1", "--set",
                           "augmentation.preset=light", "--set", "batch_augmentation=[]")
        self.assertIn("6 rows of 1 draw;", out)

    def test_stains_of_slides_are_known(self):
        """Of slides that are held in memory, and of a picture."""
        for name in ("images", "masks"):
            os.makedirs(os.path.join(self.folder, "stained", name), exist_ok=True)
        for i in range(2):
            def stained(x, y):
                return (235, 230, 238) if x < 20 else (170 - (x * 7 + i) % 60, 70 + (y * 5) % 60, 140 + (x + y) % 40)
            write_png(os.path.join(self.folder, f"stained/images/{i}.png"), 160, 140, stained)
            write_png(os.path.join(self.folder, f"stained/masks/{i}.png"), 160, 140, lambda x, y: 255 * (50 < x < 90 < y))
        chain = ('augmentation=[{type = "stain_jitter", stains = "slide"}, {type = "stain_transfer", share = [1, 1], '
                 'to = {stains = [[0.65, 0.70, 0.29], [0.07, 0.99, 0.11]], strength = [3.0, 2.0]}}, '
                 '{type = "reinhard", share = [1, 1], to = {mean = [40, 10, 10], deviation = [9, 9, 9]}}]')
        settings = ["--set", chain, "--set", "batch_augmentation=[]", "--set", 'dataset.0.root="stained"', "--n", "2"]
        for name, words in (("data.png", ["e.toml"]), ("image.png", ["away.toml", "--image", "stained/images/1.png"])):
            self.assertIn("4 rows of 2 draws", self.preview(*words, "--out", name, *settings))
            _, _, rows = self.picture(name)
            for row in range(4):
                self.assertNotEqual(part(rows, 1, row), part(rows, 0, row), f"{name}, row {row} is as it was")

    def test_what_cannot_be_shown_is_told(self):
        for name in ("x.jpg", "x.svg", "x"):
            self.assertIn("must end so", self.preview("e.toml", "--out", name, expect=2))
            self.assertFalse(os.path.exists(os.path.join(self.folder, name)))
        out = self.preview("e.toml", "--out", "x.png", "--component", "flop", expect=1)
        self.assertIn('the experiment has no augmentation "flop"', out)
        self.assertIn('did you mean "flip"? it has cutmix, flip, gaussian_blur, one_of, rgb_shift', out)
        out = self.preview("e.toml", "--out", "x.png", "--set", "augmentation=[]", "--set", "batch_augmentation=[]", expect=1)
        self.assertIn("has no augmentation to show", out)
        self.preview("e.toml", "--out", "x.png", "--image", "data/images/1.png", "--window", "3", expect=2)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "x.png")))


unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
