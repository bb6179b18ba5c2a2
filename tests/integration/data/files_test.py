"""`nephron prepare` and `nephron data preview` on slide files: real ones, damaged ones, and on disks that are full or read-only."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../support"))
from given import arguments  # noqa: E402
from slide_files import write_png, write_tiff  # noqa: E402

a, rest = arguments()

# In a mount namespace of its own a test may make small disks, which go with it; without root, in a user's namespace.
if "NEPHRON_OWN_MOUNTS" not in os.environ:
    for unshare in (["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"]):
        if shutil.which("unshare") and subprocess.run([*unshare, "mount", "-t", "tmpfs", "none", "/mnt"],
                                                      capture_output=True).returncode == 0:
            os.execvpe(unshare[0], [*unshare, sys.executable, *sys.argv], {**os.environ, "NEPHRON_OWN_MOUNTS": "1"})
    os.environ["NEPHRON_OWN_MOUNTS"] = "0"
MAY_MOUNT = os.environ["NEPHRON_OWN_MOUNTS"] == "1"

SHARED = os.environ.get("NEPHRON_SHARED") or os.path.join(HERE, "../../../../shared")
SLIDES = os.path.join(SHARED, "data", "slides")

REST = """
[model]
encoder = { type = "resnet18" }
decoder = { type = "unet" }
[loss]
terms = [ { type = "bce" } ]
"""


def square(x, y, side, name="G"):
    corners = [[x, y], [x + side - 1, y], [x + side - 1, y + side - 1], [x, y + side - 1]]
    return {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [corners]},
            "properties": {"classification": {"name": name}}}


class Files(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = scratch.name
        os.makedirs(self.at("data"))

    def at(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, what):
        os.makedirs(os.path.dirname(self.at(name)), exist_ok=True)
        with open(self.at(name), "w") as f:
            f.write(what if isinstance(what, str) else json.dumps(what))

    def experiment(self, dataset, factor=2):
        self.write("e.toml", f"""classes = ["healthy", "unhealthy"]
sampler = {{ type = "uniform" }}
[data]
store = "store"
factor = {factor}
tile = 32
[[dataset]]
{dataset}
root = "data"
""" + REST)

    def nephron(self, *words, expect=0):
        done = subprocess.run([a.nephron, *words], cwd=self.folder, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done

    def prepare(self, expect):
        return json.loads(self.nephron("prepare", "e.toml", "--json", expect=expect).stdout)

    def contents(self):
        out = {}
        for place, _, names in os.walk(self.at("store")):
            for name in names:
                with open(os.path.join(place, name), "rb") as f:
                    out[os.path.relpath(os.path.join(place, name), self.at("store"))] = f.read()
        return out

    def expect_problems(self, problems, patterns):
        """Each pattern is found in one problem, and no problem is left."""
        left = list(problems)
        for pattern in patterns:
            found = [x for x in left if re.search(pattern, x)]
            self.assertEqual(len(found), 1, f"{pattern}\nin\n" + "\n".join(problems))
            left.remove(found[0])
        self.assertEqual(left, [])

    def cut(self, name, part):
        os.truncate(self.at(name), int(os.path.getsize(self.at(name)) * part))

    def test_each_fault_costs_its_slide_alone(self):
        os.makedirs(self.at("data/train"))
        for name in ("cut.tiff", "cut2.tiff", "good.tif", "good.tiff", "outside.tiff", "over.tiff"):
            write_tiff(self.at("data/train", name), 120, 90, big=True, front=name == "cut.tiff")
        self.cut("data/train/cut.tiff", .6)
        self.cut("data/train/cut2.tiff", .6)
        self.write("data/train/text.tiff", "no slide")
        self.write("data/train.csv", "id,encoding\ncut,1 5\ngood,1 5 100 20\noutside,1 5 10795 50\nover,1 5 3 2\ntext,\n")
        self.experiment('type = "hubmap_kaggle"\npart = "train"')
        said = self.prepare(1)
        expected = [
            r'slide "cut".*/cut\.tiff: page 0: strip \d+ should be the \d+ bytes at \d+, but the file has \d+ bytes '
            r'\(reader "tiff"\) \(the file is cut short',
            r'slide "cut2".*/cut2\.tiff cannot be read as TIFF: .*Can not read TIFF directory count',
            r'lists slide "good" twice; ids are unique, so the second \(.*/good\.tiff\) is left out',
            r'slide "outside".*/train\.csv:4: run 2 of the run lengths \(10795 \+ 50\) leaves the mask of 10800 pixels',
            r'slide "over".*/train\.csv:5: run 2 of the run lengths \(3 \+ 2\) begins before the end of the run ahead',
            r'slide "text".*no reader suits slide file .*/text\.tiff']
        self.assertEqual((said["prepared"], said["up_to_date"]), (1, 0))
        self.expect_problems(said["problems"], expected)
        before = {k: v for k, v in self.contents().items() if "/good-" in k}
        self.assertEqual(len([k for k in before if k.endswith((".tiff", ".json"))]), 4)
        said = self.prepare(1)
        self.assertEqual((said["prepared"], said["up_to_date"]), (0, 1))
        self.expect_problems(said["problems"], expected)
        self.assertEqual({k: v for k, v in self.contents().items() if "/good-" in k}, before)
        text = self.nephron("prepare", "e.toml", expect=1)
        self.assertIn("0 slides prepared, 1 up to date, 6 failed", text.stdout)
        self.assertEqual(text.stderr.count("error: "), 6)
        # What was wrong is put right: only that is made.
        for name in ("cut", "cut2", "text"):
            write_tiff(self.at("data/train", name + ".tiff"), 120, 90)
        os.remove(self.at("data/train/good.tiff"))
        self.write("data/train.csv", "id,encoding\ncut,1 5\ngood,1 5 100 20\noutside,1 5\nover,1 5\ntext,\n")
        said = self.prepare(0)
        self.assertEqual(said["problems"], [])
        self.assertEqual(self.prepare(0)["up_to_date"], 6)

    def test_a_mask_of_another_size(self):
        for name in ("a", "b"):
            os.makedirs(self.at("data/images"), exist_ok=True)
            os.makedirs(self.at("data/masks"), exist_ok=True)
            write_png(self.at("data/images", name + ".png"), 40, 30, lambda x, y: 200)
            write_png(self.at("data/masks", name + ".png"), 41 if name == "a" else 40, 30, lambda x, y: x < 9)
        self.experiment('type = "image_folder"')
        said = self.prepare(1)
        self.assertEqual(said["prepared"], 1)
        self.expect_problems(said["problems"], [r'slide "a".*41 x 30.*40 x 30.*expected equal sizes'])

    def test_damaged_svs_files(self):
        write_tiff(self.at("data/SAS_1.svs"), 120, 90)
        write_tiff(self.at("data/SAS_2.svs"), 120, 90, big=True)
        self.cut("data/SAS_2.svs", .3)
        broken = os.path.join(SLIDES, "broken.svs")
        if os.path.exists(broken):
            shutil.copyfile(broken, self.at("data/SAS_3.svs"))
        else:
            self.write("data/SAS_3.svs", "no slide")
        self.write("data/annotations/SAS_1.json", [square(10, 10, 20)])
        self.experiment('type = "mendeley"')
        said = self.prepare(1)
        self.assertEqual(said["prepared"], 1)
        self.expect_problems(said["problems"], [r'slide "SAS_2".*SAS_2\.svs',
                                                r'slide "SAS_3".*no reader suits slide file .*/SAS_3\.svs; asked: '])
        self.assertIn("64 windows", self.nephron("data", "preview", "e.toml", "--out", "p.png").stdout)
        check = self.nephron("data", "check", "e.toml", expect=1)
        self.assertIn("1 of 3 slides, 3 findings", check.stdout)
        self.assertNotIn("the rest go on", check.stderr)  # each is a finding, told once
        # An annotation that cannot be read costs the slide's labels, and leaves its picture.
        picture = {k: v for k, v in self.contents().items() if "pictures/SAS_1-" in k}
        self.assertTrue(picture)
        self.write("data/annotations/SAS_1.json", "[{]")
        said = self.prepare(1)
        self.assertEqual(said["prepared"], 0)
        self.assertTrue(any(re.search(r"SAS_1\.json: this is no JSON: parse error at line 1, column 3", x)
                            for x in said["problems"]), said)
        self.assertEqual({k: v for k, v in self.contents().items() if "pictures/SAS_1-" in k}, picture)

    def test_a_dataset_that_cannot_be_listed_leaves_the_store(self):
        os.makedirs(self.at("data/train"))
        write_tiff(self.at("data/train/a.tiff"), 120, 90)
        self.write("data/train.csv", "id,encoding\na,1 5\n")
        self.experiment('type = "hubmap_kaggle"\npart = "train"')
        self.prepare(0)
        before = self.contents()
        self.write("data/train.csv", "id,mask\na,1 5\n")
        wrong = self.nephron("prepare", "e.toml", expect=1)
        self.assertRegex(wrong.stderr, r'error: .*/train\.csv:1: there is no column "encoding"; the file has "id", "mask"')
        self.write("data/train.csv", "id,encoding\na,1 5\n")
        os.rename(self.at("data/train/a.tiff"), self.at("a.tiff"))
        wrong = self.nephron("prepare", "e.toml", expect=1)
        self.assertIn("it holds no slide; expected train/ID.tiff", wrong.stderr)
        os.rename(self.at("data"), self.at("elsewhere"))
        wrong = self.nephron("prepare", "e.toml", expect=1)
        self.assertIn("it is no folder", wrong.stderr)
        self.assertEqual(self.contents(), before)
        os.rename(self.at("elsewhere"), self.at("data"))
        os.rename(self.at("a.tiff"), self.at("data/train/a.tiff"))
        self.assertEqual(self.prepare(0)["problems"], [])

    def test_folders_without_slides(self):
        for kind in ("mendeley", "hubmap_portal", "image_folder"):
            self.experiment(f'type = "{kind}"')
            wrong = self.nephron("prepare", "e.toml", expect=1)
            self.assertRegex(wrong.stderr, rf'error: e\.toml:7:1: dataset "{kind}".*(holds no|is not a folder).*expected')
            self.assertEqual(wrong.stderr.count("error: "), 1)

    def disk(self, kilobytes):
        """A disk of this size at store/."""
        os.makedirs(self.at("store"))
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", self.at("store")], check=True)
        self.addCleanup(subprocess.run, ["umount", self.at("store")], check=True)

    def remount(self, how):
        subprocess.run(["mount", "-o", "remount," + how, self.at("store")], check=True)

    @unittest.skipUnless(MAY_MOUNT, "no disk can be mounted here")
    def test_a_full_disk_costs_what_does_not_fit(self):
        write_tiff(self.at("data/SAS_1.svs"), 120, 90)
        self.experiment('type = "mendeley"')
        # One tile of the picture is 768 KiB, one of the labels 256.
        self.disk(1400)
        self.assertEqual(self.prepare(0)["prepared"], 1)
        self.write("data/annotations/SAS_1.json", [square(10, 10, 20)])
        write_tiff(self.at("data/SAS_2.svs"), 120, 90)
        self.remount("size=960k")
        before = self.contents()
        said = self.prepare(1)
        self.assertEqual(said["prepared"], 0)
        self.expect_problems(said["problems"], [
            r'slide "SAS_1".*cannot write .*labels-.*No space left on device \(make room on that disk, then run the same',
            r'slide "SAS_2": the disk of .* has \d+ MiB free; the slide needs \d+ \(make room on that disk'])
        after = self.contents()
        self.assertEqual({k: v for k, v in after.items() if "pictures/SAS_1-" in k}, {k: v for k, v in before.items()
                                                                                      if "pictures/SAS_1-" in k})
        self.assertFalse([k for k in after if ".part." in k or ".tmp." in k], after.keys())
        self.remount("size=9m")
        self.assertEqual(self.prepare(0)["prepared"], 2)
        self.nephron("store", "verify", "store")

    @unittest.skipUnless(MAY_MOUNT, "no disk can be mounted here")
    def test_a_read_only_disk_serves_what_it_has(self):
        write_tiff(self.at("data/SAS_1.svs"), 120, 90)
        self.write("data/annotations/SAS_1.json", [square(10, 10, 20)])
        self.experiment('type = "mendeley"')
        self.disk(9000)
        self.prepare(0)
        self.remount("ro")
        self.assertEqual(self.prepare(0)["up_to_date"], 1)
        self.nephron("store", "verify", "store")
        write_tiff(self.at("data/SAS_2.svs"), 120, 90)
        said = self.prepare(1)
        self.assertEqual((said["prepared"], said["up_to_date"]), (0, 1))
        self.expect_problems(said["problems"],
                             [r'slide "SAS_2".*cannot make the folder .*Read-only file system.*data\.store'])
        done = self.nephron("data", "preview", "e.toml", "--out", "p.png")
        self.assertIn("from 1 slide at", done.stdout)
        self.assertIn('warning: slide "SAS_2"', done.stderr)

    @unittest.skipUnless(os.path.isdir(SLIDES), "no ../shared/data/slides, and NEPHRON_SHARED is not set")
    def test_real_slides_are_prepared_and_shown(self):
        for source, name in (("cmu-1-small-region", "SAS_1"), ("tcga-cr-7395-01a-01-ts1", "VUHSK_2")):
            shutil.copyfile(os.path.join(SLIDES, source + ".svs"), self.at("data", name + ".svs"))
            self.write(f"data/annotations/{name}.json", [square(400, 600, 300), square(1000, 500, 200),
                                                         square(1200, 1500, 100, "FC")])
        self.experiment('type = "mendeley"')
        self.assertEqual(self.prepare(0), {"store": "store", "prepared": 2, "pictures": 2, "up_to_date": 0, "problems": []})
        records = [json.loads(text) for name, text in self.contents().items()
                   if os.path.basename(name).startswith("labels-") and name.endswith(".json")]
        self.assertEqual([r["foreground"] for r in records], [[150 * 150 + 100 * 100, 50 * 50]] * 2)
        self.nephron("data", "preview", "e.toml", "--out", "page.html")
        with open(self.at("page.html")) as f:
            page = f.read()
        for expected in ("SAS_1", "VUHSK_2", "healthy", "unhealthy", "data:image/jpeg;base64,"):
            self.assertTrue(expected in page, expected)
        self.assertIn("2 slides, 0 findings", self.nephron("data", "check", "e.toml").stdout)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *rest])
