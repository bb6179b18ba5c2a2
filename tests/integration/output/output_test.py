"""One rule for every command that writes a file: what exists is refused unless --overwrite is given; and even then it
is never anything but a file, never an input of the command, never a file of a store."""
import glob
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../support"))
from given import arguments  # noqa: E402
from slide_files import write_png, write_tiff  # noqa: E402

a, rest = arguments()

EXPERIMENT = """
classes = ["glomerulus"]
sampler = { type = "uniform" }
[data]
store = "store"
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
steps_per_epoch = 1
batch = 2
threads = 1
"""
FLIP = ["--set", 'augmentation=[{type = "flip"}]']


def write_safetensors(path, shape):
    count = 1
    for side in shape:
        count *= side
    header = json.dumps({"input": {"dtype": "F32", "shape": shape, "data_offsets": [0, 4 * count]}}).encode()
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(header)) + header + bytes(4 * count))


class FullDisk(unittest.TestCase):
    def test_output_that_did_not_arrive_is_an_error(self):
        with tempfile.TemporaryDirectory() as folder, open("/dev/full", "w") as full:
            for words in (["runs", "list", "--json"], ["plugins", "list"], ["weights", "list"], ["--help"]):
                done = subprocess.run([a.nephron, *words], cwd=folder, stdout=full, stderr=subprocess.PIPE, text=True)
                self.assertEqual(done.returncode, 1, (words, done.stderr))
                self.assertIn("cannot write the output", done.stderr)


class Outputs(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = cls.scratch.name
        for name in ("data/images", "data/masks", "elsewhere"):
            os.makedirs(cls.at(name))
        for i in range(3):
            write_png(cls.at(f"data/images/{i}.png"), 64, 64, lambda x, y: (x * y + 40 * i) % 251)
            write_png(cls.at(f"data/masks/{i}.png"), 64, 64, lambda x, y: 255 if 10 < x < 40 and 10 < y < 50 else 0)
        write_tiff(cls.at("slide.tiff"), 64, 64)
        with open(cls.at("e.toml"), "w") as out:
            out.write(EXPERIMENT)
        write_safetensors(cls.at("in.safetensors"), [1, 3, 32, 32])
        with open(cls.at("labels.json"), "w") as out:
            ring = [[5, 5], [20, 5], [20, 20], [5, 20]]
            json.dump([{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]},
                        "properties": {"classification": {"name": "G"}}}], out)
        prepared = cls.run_nephron("prepare", "e.toml")
        assert prepared.returncode == 0, prepared.stderr
        trained = cls.run_nephron("train", "e.toml", "--fold", "0")
        assert trained.returncode == 0, trained.stderr
        cls.trained = os.path.relpath(glob.glob(cls.at("runs/*/*"))[0], cls.folder)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    @classmethod
    def at(cls, *names):
        return os.path.join(cls.folder, *names)

    @classmethod
    def run_nephron(cls, *arguments):
        return subprocess.run([a.nephron, *arguments], cwd=cls.folder, capture_output=True, text=True, timeout=120)

    def commands(self):
        """Name, arguments before the name of the output, ending, inputs."""
        metrics = os.path.join(self.trained, "fold-0", "metrics.jsonl")
        return [
            ("slide read", ["slide", "read", "slide.tiff", "--region", "0,0,9,9", "--out"], ".png", ["slide.tiff"]),
            ("slide thumbnail", ["slide", "thumbnail", "slide.tiff", "--size", "9", "--out"], ".png", ["slide.tiff"]),
            ("store export", ["store", "export", "store", "0", "--out"], ".png", ["data/images/0.png"]),
            ("store export", ["store", "export", "store", "0", "--labels", "--out"], ".tiff", []),
            ("data preview", ["data", "preview", "e.toml", "--windows", "2", "--out"], ".png",
             ["e.toml", "data/images/1.png", "data/masks/1.png"]),
            ("data preview", ["data", "preview", "e.toml", "--windows", "2", "--out"], ".html", ["e.toml"]),
            ("augment preview", ["augment", "preview", "e.toml", "--n", "1", *FLIP, "--out"], ".png",
             ["e.toml", "data/images/1.png", "data/masks/1.png"]),
            ("augment preview", ["augment", "preview", "e.toml", "--n", "1", *FLIP, "--image", "data/images/1.png",
                                 "--out"], ".html", ["e.toml", "data/images/1.png"]),
            ("data split", ["data", "split", "e.toml", "--out"], ".json",
             ["e.toml", "data/images/1.png", "data/masks/1.png"]),
            ("model forward", ["model", "forward", "--model", "e.toml", "--input", "in.safetensors", "--output"],
             ".safetensors", ["e.toml", "in.safetensors"]),
            ("config schema", ["config", "schema", "--out"], ".json", []),
            ("report", ["report", self.trained, "--out"], ".html", [metrics, "data/images/1.png", "data/masks/1.png"]),
        ] + [("labels convert", ["labels", "convert", "labels.json", "--size", "64x64", "--to", to, "--out"], end,
              ["labels.json"])
             for to, end in (("rle", ".csv"), ("geojson", ".geojson"), ("coco", ".json"), ("png", ".png"),
                             ("tiff", ".tiff"))]

    def content(self, name):
        with open(self.at(name), "rb") as file:
            return file.read()

    def refused(self, arguments, name, says):
        """Ends with 1, says why, and leaves everything as it was, with --overwrite."""
        before = self.content(name) if os.path.isfile(self.at(name)) and not name.startswith("/dev") else None
        done = self.run_nephron(*arguments, name, "--overwrite")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn(says, done.stderr)
        if before is not None:
            self.assertEqual(self.content(name), before)

    def test_files_are_made_and_replaced_on_request_alone(self):
        for name, arguments, ending, _ in self.commands():
            with self.subTest(name + ending):
                out = "elsewhere/new/" + name.replace(" ", "-") + ending
                done = self.run_nephron(*arguments, out)
                self.assertEqual(done.returncode, 0, done.stderr)
                first = self.content(out)
                self.assertGreater(len(first), 0)
                with open(self.at(out), "w") as file:
                    file.write("mine")
                done = self.run_nephron(*arguments, out)
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assertIn("exists already", done.stderr)
                self.assertIn("--overwrite", done.stderr)
                self.assertEqual(self.content(out), b"mine")
                done = self.run_nephron(*arguments, out, "--overwrite")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertNotEqual(self.content(out), b"mine")
                self.assertEqual([f for f in os.listdir(self.at("elsewhere/new")) if ".tmp" in f or ".part" in f], [])

    def test_inputs_are_never_replaced(self):
        for name, arguments, ending, inputs in self.commands():
            for i in inputs:
                with self.subTest(name + ending, input=i):
                    self.refused(arguments, i, "is what the command reads")
                    hard = self.at("elsewhere", "hard" + ending)
                    os.link(self.at(i), hard)
                    self.refused(arguments, "elsewhere/hard" + ending, "is what the command reads")
                    os.remove(hard)

    def test_a_page_replaces_no_picture_of_its_prediction(self):
        for name in ("p/images", "p/masks"):
            os.makedirs(self.at(name))
            write_png(self.at(name, "x.png"), 64, 64, lambda x, y: (x * y) % 251)
        done = self.run_nephron("predict", self.trained, "--images", "p/images", "--masks", "p/masks", "--out", "p/out",
                                "--device", "cpu", "--fold", "0")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = ["report", self.trained, "--predictions", "p/out", "--out"]
        for name in ("p/images/x.png", "p/masks/x.png", "p/out/scores.json"):
            self.refused(report, name, "is what the command reads")

    def test_no_page_lies_in_the_folder_of_a_fold(self):
        done = self.run_nephron("report", self.trained, "--out", self.trained + "/fold-0/page.html")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("which training alone writes into", done.stderr)
        self.assertFalse(os.path.exists(self.at(self.trained, "fold-0/page.html")))

    def test_results_lie_apart_from_runs_and_from_what_is_read(self):
        for name in ("q/images", "q/masks"):
            os.makedirs(self.at(name))
            write_png(self.at(name, "x.png"), 64, 64, lambda x, y: (x * y) % 251)
        fold, images = self.trained + "/fold-0", ["--images", "q/images"]
        dataset = ["--dataset", "image_folder"]
        alone, a_run, read = "which training alone writes into", "is the folder of a run", "is read"
        for words, out, why in ((["predict", *images], fold, alone), (["predict", *images], fold + "/new", alone),
                                (["predict", *images], fold + "/checkpoints", alone),
                                (["predict", *images], self.trained, a_run), (["predict", *images], "q/images", read),
                                (["predict", *images], "q/images/new", read),
                                (["predict", *images, "--masks", "q/masks"], "q/masks", read),
                                (["predict", *dataset], "data/images", read),
                                (["validate"], fold, alone), (["validate"], self.trained, a_run),
                                (["validate"], "data", read), (["validate"], "data/images", read)):
            with self.subTest(words, out=out):
                there = sorted(os.listdir(self.at(out))) if os.path.exists(self.at(out)) else None
                done = self.run_nephron(words[0], self.trained, *words[1:], "--out", out, "--device", "cpu")
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertIn(why, done.stderr)
                now = sorted(os.listdir(self.at(out))) if os.path.exists(self.at(out)) else None
                self.assertEqual(there, now)
        done = self.run_nephron("predict", self.trained, *images, "--out", self.trained + "/predicted", "--device",
                                "cpu", "--fold", "0")
        self.assertEqual(done.returncode, 0, done.stderr)
        shutil.rmtree(self.at(self.trained, "predicted"))

    def test_what_is_asked_for_twice_is_told(self):
        for words, why in ((["predict", self.trained, "--images", "data/images", "--dataset", "image_folder", "--out",
                             "elsewhere/p"], "exclude each other"),
                           (["predict", self.trained, "--out", "elsewhere/p"], "name what to predict"),
                           (["train", "e.toml", "--fold", "0,0"], "names fold 0 twice"),
                           (["sweep", "status", "sweep"], "runs/NAME where that ends in")):
            done = self.run_nephron(*words)
            self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
            self.assertIn(why, done.stderr)

    def test_a_link_to_itself_is_said_to_be_one_that_cannot_be_read(self):
        os.symlink("loop.toml", self.at("loop.toml"))
        for words in (["config", "check", "loop.toml"], ["config", "show", "loop.toml"], ["data", "check", "loop.toml"],
                      ["predict", "loop.toml", "--images", "data/images", "--out", "elsewhere/p"],
                      ["validate", "loop.toml"]):
            with self.subTest(words):
                done = self.run_nephron(*words)
                self.assertIn(done.returncode, (1, 2))
                self.assertRegex(done.stderr, "cannot read [^\n]*loop.toml: Too many levels of symbolic links")
                self.assertNotIn("filesystem error", done.stderr)

    def test_a_page_spares_the_slides_of_a_run_whose_datasets_cannot_be_asked(self):
        run = self.at("elsewhere/old-run")
        shutil.copytree(self.at(self.trained), run)
        with open(os.path.join(run, "experiment.resolved.toml")) as file:
            text = file.read()
        with open(os.path.join(run, "experiment.resolved.toml"), "w") as file:
            file.write(text.replace('"image_folder"', '"plugin_that_is_gone"'))
        self.refused(["report", run, "--out"], "data/images/1.png", "is what the command reads")
        self.assertEqual(self.run_nephron("report", run, "--out", "elsewhere/old.html").returncode, 0)

    def test_frozen_folds_are_not_dealt_anew(self):
        self.assertEqual(self.run_nephron("data", "split", "e.toml", "--out", "frozen.json").returncode, 0)
        with open(self.at("frozen.json")) as file:
            frozen = json.load(file)
        folds = [s["fold"] for s in frozen["slides"]]
        for slide, fold in zip(frozen["slides"], folds[1:] + folds[:1]):
            slide["fold"] = fold
        with open(self.at("frozen.json"), "w") as file:
            json.dump(frozen, file)
        self.refused(["data", "split", "e.toml", "--out"], "frozen.json", "holds folds that would be lost")
        done = self.run_nephron("data", "split", "e.toml", "--out", "frozen.json", "--overwrite", "--set",
                                'data.folds.file="frozen.json"')
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.at("frozen.json")) as file:
            self.assertEqual([s["fold"] for s in json.load(file)["slides"]], folds[1:] + folds[:1])

    def test_files_of_a_run_are_not_replaced(self):
        self.refused(["config", "schema", "--out"], os.path.join(self.trained, "environment.json"), "is a file of the run")

    def test_only_files_are_replaced(self):
        os.makedirs(self.at("elsewhere/folder.d"), exist_ok=True)
        os.mkfifo(self.at("elsewhere/pipe"))
        with open(self.at("elsewhere/target"), "w") as file:
            file.write("mine")
        os.symlink("target", self.at("elsewhere/link"))
        for name, arguments, ending, _ in self.commands():
            with self.subTest(name + ending):
                self.refused(arguments, "elsewhere/folder.d", "is a folder")
                self.refused(arguments, "elsewhere/pipe", "is a pipe")
                self.refused(arguments, "elsewhere/link", "is a link")
                self.refused(arguments, "/dev/full", "is a device")
                self.assertEqual(self.content("elsewhere/target"), b"mine")

    def test_stores_are_never_written_into(self):
        slide = os.path.relpath(glob.glob(self.at("store/pictures/0-*"))[0], self.folder)
        for name, arguments, ending, _ in self.commands():
            with self.subTest(name + ending):
                for place in (slide + "/picture-1.tiff", "store/new/folder/x" + ending):
                    self.refused(arguments, place, "lies in the store")

    def test_folders(self):
        predict = ["predict", self.trained, "--images", "data/images", "--device", "cpu", "--fold", "0"]
        export = ["data", "export", "e.toml", "--factor", "1"]
        sources = {name: self.content(name) for name in ("data/images/0.png", "data/masks/0.png")}
        for arguments in (predict + ["--out", "store/x"], export + ["--out", "store/x"],
                          ["synth", "--out", "store/x"]):
            done = self.run_nephron(*arguments)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn("lies in the store", done.stderr)
        # What is refused before anything is written.
        with open(self.at("elsewhere/file"), "w") as file:
            file.write("mine")
        for arguments, code, says in (
                (["--out", "elsewhere/file"], 1, "elsewhere/file is no folder"),
                (["--out", "elsewhere/file/below"], 1, "elsewhere/file is no folder"),
                (["--out", "elsewhere/e", "--dataset", "image_foldr"], 2, 'Did you mean "image_folder"?'),
                (["--out", "elsewhere/e", "--dataset", "nobody"], 2, 'has no dataset "nobody": it has "image_folder"')):
            done = self.run_nephron("data", "export", "e.toml", *arguments)
            self.assertEqual(done.returncode, code, done.stdout + done.stderr)
            self.assertIn(says, done.stderr)
        self.assertEqual(self.run_nephron("data", "export", "e.toml", "--out", "elsewhere/e", "--factor", "0").returncode, 2)
        self.assertFalse(os.path.exists(self.at("elsewhere/e")))
        self.assertEqual(self.content("elsewhere/file"), b"mine")
        with open(self.at("twice.toml"), "w") as out:
            second = '[[dataset]]\ntype = "image_folder"\nname = "second"\nroot = "data"\n[model]'
            out.write(EXPERIMENT.replace("[model]", second))
        done = self.run_nephron("data", "export", "twice.toml", "--out", "elsewhere/e")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn('slide "0" of dataset "image_folder" and slide "0" of dataset "second" would both be written as',
                      done.stderr)
        self.assertIn("choose one dataset with --dataset", done.stderr)
        # The datasets' own files, and true masks where predicted ones would lie.
        done = self.run_nephron(*export, "--out", "data", "--overwrite")
        self.assertEqual(done.returncode, 1)
        self.assertIn("is what the command reads", done.stderr)
        done = self.run_nephron(*predict, "--masks", "data/masks", "--out", "data", "--overwrite")
        self.assertEqual(done.returncode, 1)
        self.assertIn("would be written into", done.stderr)
        for name, content in sources.items():
            self.assertEqual(self.content(name), content)
        self.assertEqual(self.run_nephron(*export, "--out", "elsewhere/export").returncode, 0)
        again = self.run_nephron(*export, "--out", "elsewhere/export")
        self.assertEqual(again.returncode, 1)
        self.assertIn("exists already", again.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *rest])
