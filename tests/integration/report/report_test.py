"""`nephron report` as a whole command: what a page holds of a validation, its gallery, and what is refused."""
import html
import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../../support"), os.path.join(HERE, "../view")]
import made_run  # noqa: E402
import slide_files  # noqa: E402
import viewed  # noqa: E402
from given import arguments  # noqa: E402

a, rest = arguments()


LARGE = """extends = "base.toml"
name = "made-up"
[[dataset]]
name = "made-up"
type = "mendeley"
root = "%s"
slides = "."
mpp = 0.5
objects = [{ name = "disc", class = %s }]
"""


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = cls.scratch.name
        cls.run_folder = made_run.make(cls.folder, a.nephron)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def report(self, *more, expect=0, run=None, out="report.html"):
        done = subprocess.run([a.nephron, "report", run or self.run_folder, "--out", out, "--overwrite", *more],
                              cwd=self.folder, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        if expect != 0:
            return done.stderr
        self.said = done.stderr
        with open(os.path.join(self.folder, out)) as page:
            return page.read()

    def test_figures_of_the_validation(self):
        page = self.report()
        self.assertEqual(self.said, "")
        for part in ("0.8123 ± 0.1000", "0.8234", "0.8051", "Dice out of fold, mean of 2 slides, threshold 0.5", "validation Dice of training, best of each fold", "Dice by threshold", "Reliability (calibration)",
                     "found as glomerulus", "Sizes of objects", "Matched objects", "mean of 2 folds, and their range",
                     "is damaged &amp; &lt;b&gt;lost&lt;/b&gt;", "0.0125"):
            self.assertIn(part, page)
        # 10 true, 6 touched of which those at 0.5 or more are matched; 2 invented.
        matched = 2 * sum(made_run.overlap(made_run.FOUND[f][0], made_run.TRUTH[t]) >= 0.5 for f, t in made_run.PAIRS.items())
        self.assertIn(f"<b>{matched} of 10</b>", page)
        self.assertIn("2 found where nothing is", page)

    def test_nothing_of_names_is_markup(self):
        page = self.report()
        self.assertNotIn("<img src=x", page)
        self.assertNotIn("<i>x &", page)
        self.assertNotIn("<here>", page)
        self.assertIn(html.escape(made_run.SLIDES[1]), page)
        self.assertIn(html.escape(made_run.CLASS, quote=True).replace("&#x27;", "&#39;"), page)
        self.assertEqual(page.count("<script"), 1)

    def test_differences_to_what_the_experiment_extends(self):
        page = self.report()
        table = re.search(r'<div class="card change">(.*?)</table>', page, re.S).group(1)
        self.assertIn("What leaf.toml, and --set, change in what it extends", table)
        rows = {row[0]: row[1:] for row in (re.findall("<td>(.*?)</td>", line) for line in table.split("<tr>")) if row}
        self.assertEqual(rows["train.epochs"][:2], ["3", "5"])
        self.assertIn("leaf.toml", rows["train.epochs"][2])
        self.assertEqual(rows["dataset.0.mpp"][:2], ["–", "0.5"])
        self.assertNotIn("data.tile", rows)  # the base says it
        self.assertNotIn("train.batch", rows)  # a default

    def test_gallery_of_the_worst_and_the_best(self):
        page = self.report()
        titles = re.findall(r"<h3>([^<]+) <span class=\"soft\">", page)
        self.assertEqual(titles, ["Found where nothing is", "Missed", "Matched worst"])
        figures = re.findall(r'<figure class="crop">(.*?)</figure>', page, re.S)
        self.assertEqual(len(figures), 2 + 4 + 6)
        self.assertTrue(all("data:image/jpeg;base64," in f for f in figures))
        invented, missed = figures[0], figures[2]
        self.assertIn("confidence 0.93", invented)
        self.assertIn('class="found"', invented)
        self.assertNotIn('class="truth"', invented)
        self.assertIn('class="truth"', missed)
        self.assertNotIn('class="found"', missed)
        self.assertIn("at 800, 650", missed)  # the largest of those that were missed, in pixels of the slide
        links = [html.unescape(link) for link in re.findall('data-view="([^"]*)"', page)]
        self.assertEqual(len(links), 12)
        for link in links:
            self.assertRegex(link, r"^#slide=(first|%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E)&x=[\d.]+&y=[\d.]+&z=-?\d+$")
        ious = [float(v) for v in re.findall(r"<b>IoU ([\d.]+)</b>", page)]
        self.assertEqual(ious, sorted(ious))
        # The outline of the disc at (800, 650) with radius 100 in its picture.
        box = [float(v) for v in re.findall(r"[ML]([\d.]+) ", re.search(r'class="truth" d="([^"]*)"', missed).group(1))]
        side = max(made_run.FACTOR * int(1.5 * 101 + 0.999), 1)
        self.assertAlmostEqual((max(box) - min(box)) / 224 * side, 201, delta=8)

    def test_a_large_object_is_shown_from_a_small_level(self):
        """425 px of the level that was measured are 6,800 of the slide; the square around them is wider than what may be
        read of a level, and its reduction is not."""
        made, side, disc = os.path.join(self.folder, "large"), 12288, (6144, 6144, 3400)

        def write_data(folder):
            plain, dark = bytes((236, 226, 234)) * 512 * 512, bytes((120, 60, 110)) * 512 * 512
            os.makedirs(f"{folder}/data/annotations")
            slide_files.write_pyramid(f"{folder}/data/large.svs", [(side, side, lambda x, y: plain),
                                                                   (side // 16, side // 16, lambda x, y: dark)])
            ring = [[disc[0] + disc[2] * math.cos(k * math.pi / 90), disc[1] + disc[2] * math.sin(k * math.pi / 90)]
                    for k in range(180)]
            made_run.write_json(f"{folder}/data/annotations/large.json", [
                {"type": "Feature", "properties": {"classification": {"name": "disc"}},
                 "geometry": {"type": "Polygon", "coordinates": [ring + ring[:1]]}}])
            made_run.write_experiment(folder, LARGE % (f"{folder}/data", json.dumps(made_run.CLASS)))

        with unittest.mock.patch.multiple(made_run, FACTOR=16, SLIDES=("large",), WIDTH=side, HEIGHT=side, TRUTH=[disc],
                                          FOUND=[], PAIRS={}, write_data=write_data):
            run = made_run.make(made, a.nephron)
        page = self.report(run=run)
        self.assertEqual(self.said, "")
        figures = re.findall(r'<figure class="crop">(.*?)</figure>', page, re.S)
        self.assertEqual(len(figures), 1)
        self.assertIn("data:image/jpeg;base64,", figures[0])
        self.assertIn('class="truth"', figures[0])

    def test_masks_of_two_datasets_and_their_former_names(self):
        """Of several datasets masks lie in a folder each; once they were called DATASET-SLIDE."""
        made = os.path.join(self.folder, "several")
        second = '[[dataset]]\nname = "made"\ntype = "image_folder"\nroot = "%s"\n'
        viewed.write_slide(f"{made}/second/images/up-first.png", 64, 48, [])
        viewed.write_png(f"{made}/second/masks/up-first.png", 64, viewed.grey([], 255, 64, 48), 1)
        with unittest.mock.patch.object(made_run, "LEAF", made_run.LEAF + second % f"{made}/second"):
            run = made_run.make(made, a.nephron)
        masks = os.path.join(run, "validation/masks", made_run.FOLDER)
        self.assertTrue("box of the prediction" in self.report(run=run))
        for names in ({slide: f"made-up-{slide}" for slide in made_run.SLIDES},
                      {f"made-up-{slide}": f"made-up/{slide}" for slide in made_run.SLIDES}):
            for before, now in names.items():
                os.makedirs(os.path.dirname(f"{masks}/{now}.png"), exist_ok=True)
                os.rename(f"{masks}/{before}.png", f"{masks}/{now}.png")
            self.assertFalse("box of the prediction" in self.report(run=run), now)

    def test_few_pictures_and_none(self):
        self.assertEqual(self.report("--gallery", "1").count('<figure class="crop">'), 4)  # the best too: there are more
        page = self.report("--gallery", "0")
        self.assertNotIn('<figure class="crop">', page)
        self.assertLess(len(page), 120000)

    def test_without_saved_masks_boxes_are_drawn_and_the_command_is_told(self):
        run = made_run.make(os.path.join(self.folder, "boxes"), a.nephron, masks=False)
        page = self.report(run=run)
        self.assertIn("box of the prediction", page)
        self.assertRegex(page, r"nephron validate [^<]*--save masks --overwrite")
        self.assertIn('class="found"', page)

    def test_a_run_that_was_not_validated(self):
        run = made_run.make(os.path.join(self.folder, "fresh"), a.nephron, validated=False)
        page = self.report(run=run)
        self.assertIn("was not validated", page)
        for text in (page, self.said):
            self.assertRegex(text, r"nephron validate \S+ --metrics dice,calibration,detection,counts,confusion --save masks")
        self.assertIn("Learning rate", page)
        self.assertIn("holds no validation", self.report("--validation", self.folder, run=run, expect=1))

    def test_slides_that_are_gone_are_told_of(self):
        run = made_run.make(os.path.join(self.folder, "moved"), a.nephron)
        os.rename(os.path.join(self.folder, "moved/data"), os.path.join(self.folder, "moved/elsewhere"))
        page = self.report(run=run)
        self.assertIn("cannot be read here", page)
        self.assertIn("no objects are shown", self.said)
        self.assertIn("0.8123", page)

    def test_damaged_tables_are_errors_with_file_and_line(self):
        made = os.path.join(self.folder, "damaged")
        run = made_run.make(made, a.nephron)
        files = {name: os.path.join(run, "validation", name) for name in ("scores.json", "slides.jsonl", "objects.jsonl")}
        sound = {name: pathlib.Path(path).read_text() for name, path in files.items()}

        def refused(name, text, says):
            with open(files[name], "w") as out:
                out.write(text)
            said = self.report(run=run, expect=1, out="damaged.html")
            self.assertIn(name, said)
            self.assertIn(says, said)
            self.assertFalse(os.path.exists(os.path.join(self.folder, "damaged.html")))
            with open(files[name], "w") as out:
                out.write(sound[name])

        refused("scores.json", sound["scores.json"][:500], "JSON")
        refused("scores.json", sound["scores.json"].replace('"best_threshold": 0.45', '"best_threshold": "x"'), "best_threshold")
        refused("slides.jsonl", sound["slides.jsonl"].replace('"width": 600', '"width": -1', 1), "slides.jsonl:1")
        refused("objects.jsonl", sound["objects.jsonl"][:-30], "objects.jsonl:18")
        refused("objects.jsonl", sound["objects.jsonl"].replace('"slide": "first"', '"slide": "another"', 1), "does not have")
        refused("objects.jsonl", sound["objects.jsonl"].replace('"x": ', '"x": 99999', 1), "outside")
        refused("objects.jsonl", sound["objects.jsonl"].replace('"side": "found"', '"side": "lost"', 1), "neither")
        mask = os.path.join(run, "validation/masks", made_run.FOLDER, "first.png")
        whole = pathlib.Path(mask).read_bytes()
        for torn in (b"", whole[:len(whole) // 2]):
            pathlib.Path(mask).write_bytes(torn)
            self.assertIn("first.png", self.report(run=run, expect=1, out="damaged.html"))
        viewed.write_png(mask, 300, viewed.grey([(100, 100, 40)], 255, 300, 200), 1)
        self.assertIn("another size", self.report(run=run, expect=1, out="damaged.html"))
        pathlib.Path(mask).write_bytes(whole)
        os.remove(files["objects.jsonl"])
        self.assertIn("objects.jsonl", self.report(run=run, expect=1, out="damaged.html"))

    def test_damaged_files_of_a_prediction_are_errors(self):
        made = os.path.join(self.folder, "predicted")
        viewed.make(made)
        page = self.report("--predictions", f"{made}/run-a")
        self.assertEqual(page.count("heat map") + page.count("probability 0<span"), 1)
        for name in ("masks", "probabilities"):
            file = f"{made}/run-a/{name}/glomerulus/slide.png"
            sound = pathlib.Path(file).read_bytes()
            for torn in (sound[:len(sound) // 2], b"", sound[:60] + bytes(40) + sound[100:]):
                with open(file, "wb") as out:
                    out.write(torn)
                said = self.report("--predictions", f"{made}/run-a", expect=1, out="torn.html")
                self.assertIn(file, said)
                self.assertFalse(os.path.exists(os.path.join(self.folder, "torn.html")))
            viewed.write_png(file, 300, viewed.grey([(100, 100, 40)], 255, 300, 200), 1)
            self.assertIn("300 x 200 px", self.report("--predictions", f"{made}/run-a", expect=1, out="torn.html"))
            with open(file, "wb") as out:
                out.write(sound)

    def test_slides_with_tiff_maps_are_shown(self):
        made = os.path.join(self.folder, "tiff")
        viewed.make(made)
        shutil.rmtree(f"{made}/run-b")
        file = f"{made}/run-a/probabilities/glomerulus/slide"
        write_tiff(file + ".tif")
        os.remove(file + ".png")
        page = self.report("--predictions", f"{made}/run-a")
        self.assertIn("probability of slide", page)
        with open(file + ".tif", "r+b") as out:
            out.truncate(os.path.getsize(file + ".tif") // 2)
        self.assertIn("slide.tif", self.report("--predictions", f"{made}/run-a", expect=1, out="torn.html"))


def write_tiff(path):
    """An 8-bit tiled TIFF of the size of the slide, uncompressed, all of one value."""
    import struct
    side = 512
    across, down = -(-viewed.WIDTH // side), -(-viewed.HEIGHT // side)
    tile = bytes([200]) * side * side
    entries = 11
    at = 8 + 2 + 12 * entries + 4
    offsets_at, counts_at = at, at + 4 * across * down
    data_at = counts_at + 4 * across * down
    tags = [(256, 4, 1, viewed.WIDTH), (257, 4, 1, viewed.HEIGHT), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
            (277, 3, 1, 1), (322, 4, 1, side), (323, 4, 1, side), (324, 4, across * down, offsets_at),
            (325, 4, across * down, counts_at), (339, 3, 1, 1)]
    with open(path, "wb") as out:
        out.write(struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", entries))
        for tag, kind, count, value in tags:
            out.write(struct.pack("<HHII", tag, kind, count, value))
        out.write(struct.pack("<I", 0))
        out.write(b"".join(struct.pack("<I", data_at + i * len(tile)) for i in range(across * down)))
        out.write(struct.pack("<I", len(tile)) * (across * down))
        out.write(tile * (across * down))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
