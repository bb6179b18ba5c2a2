"""nephron labels: exit codes, what is said, what lies on disk afterwards."""
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../support"))
from given import arguments  # noqa: E402
from slide_files import write_png, write_tiff  # noqa: E402

a, rest = arguments()

SHARED = os.environ.get("NEPHRON_SHARED") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../../shared")
SLIDES = os.path.join(SHARED, "data", "slides")

SQUARE = [[[10, 10], [29, 10], [29, 29], [10, 29], [10, 10]], [[15, 15], [20, 15], [20, 20], [15, 20]]]
FEATURES = [
    {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": SQUARE},
     "properties": {"classification": {"name": "G"}}},
    {"type": "Feature", "geometry": {"type": "LineString", "coordinates": [[1, 1], [2, 2]]}, "properties": {}},
    {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[90, 90], [120, 90], [120, 120], [90, 120]]]},
     "properties": {"classification": {"name": "FC"}}}]


class Labels(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = scratch.name
        with open(os.path.join(self.folder, "a.json"), "w") as f:
            json.dump(FEATURES, f)

    def run_labels(self, *words, expect=0):
        done = subprocess.run([a.nephron, "labels", *words], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done

    def read(self, name):
        with open(os.path.join(self.folder, name)) as f:
            return f.read()

    def test_converts_through_all_formats_and_back(self):
        first = self.run_labels("convert", "a.json", "--size", "100x100", "--to", "rle", "--out-id", "slide")
        self.assertIn("feature 2 skipped: a LineString is no area", first.stderr)
        self.assertTrue(self.read("a.csv").startswith("id,class,encoding\nslide,G,1011 20 1111 20"))
        self.run_labels("convert", "a.csv", "--size", "100x100", "--to", "geojson")
        self.run_labels("convert", "a.geojson", "--size", "100x100", "--to", "tiff")
        self.run_labels("convert", "a.tiff", "--to", "png")  # both tell the names of their classes
        self.run_labels("convert", "a.png", "--to", "coco")
        self.run_labels("convert", "a.coco.json", "--to", "rle", "--out", "b.csv", "--out-id", "slide")
        self.assertEqual(self.read("a.csv"), self.read("b.csv"))

    def test_one_class_keeps_its_name_or_says_that_it_does_not(self):
        with open(os.path.join(self.folder, "one.json"), "w") as f:
            json.dump(FEATURES[:1], f)
        self.run_labels("convert", "one.json", "--size", "100x100", "--to", "png")
        self.assertIn('"name":"G"', self.run_labels("convert", "one.png", "--to", "geojson", "--out", "back.json") and
                      self.read("back.json").replace(" ", ""))
        self.assertIn('note: run lengths of one class do not tell its name; to read them again: --classes "G"',
                      self.run_labels("convert", "one.json", "--size", "100x100", "--to", "rle").stderr)

    def test_a_wrong_size_is_noticed(self):
        said = self.run_labels("convert", "a.json", "--size", "80x100", "--to", "rle", "--out", "wrong.csv")
        self.assertIn("1 of 2 objects lies outside of the slide's 80 x 100 px, and 0 are cut by its edge", said.stderr)
        self.assertNotIn("swapped", said.stderr)
        said = self.run_labels("convert", "a.json", "--size", "100x100", "--to", "rle", "--out", "cut.csv")
        self.assertIn("0 of 2 objects lie outside of the slide's 100 x 100 px, and 1 is cut by its edge", said.stderr)
        wide = [{"type": "Feature", "properties": {"classification": {"name": "G"}},
                 "geometry": {"type": "Polygon", "coordinates": [[[150, 10], [180, 10], [180, 30]]]}}]
        with open(os.path.join(self.folder, "wide.json"), "w") as f:
            json.dump(wide, f)
        said = self.run_labels("stats", "wide.json", "--size", "100x200")
        self.assertIn("all fit into 200 x 100 px: are width and height swapped?", said.stderr)
        self.assertEqual(self.run_labels("stats", "wide.json", "--size", "200x100").stderr, "")

    def test_objects_are_counted_without_a_size(self):
        said = json.loads(self.run_labels("stats", "a.json", "--json").stdout)
        known = json.loads(self.run_labels("stats", "a.json", "--json", "--size", "200x200").stdout)
        self.assertNotIn("width", said["files"][0])
        for mine, other in zip(said["files"][0]["classes"], known["files"][0]["classes"]):
            self.assertNotIn("share", mine)
            other.pop("share")
            self.assertEqual(mine, other)
        self.assertRegex(self.run_labels("stats", "a.json").stdout, r"a\.json +G +1 +\d+ +- ")

    def test_tells_statistics(self):
        text = self.run_labels("stats", "a.json", "--size", "100x100", "--mpp", "0.5", "--json").stdout
        report = json.loads(text)
        g, fc = report["files"][0]["classes"]
        self.assertEqual(report["total"][0], {k: v for k, v in g.items() if k != "box"})
        self.assertEqual((g["class"], g["objects"], g["area_px"]), ("G", 1, 20 * 20 - 4 * 4))
        self.assertEqual((fc["area_px"], fc["box"]), (100, [90, 90, 10, 10]))  # what leaves the slide is cut off
        self.assertEqual(g["area_um2"], g["area_px"] / 4)
        self.assertEqual(g["object_area_px"]["median"], g["area_px"])
        self.assertIn("G", self.run_labels("stats", "a.json", "--size", "100x100").stdout)

    def test_adds_several_files_and_goes_on_after_a_bad_one(self):
        with open(os.path.join(self.folder, "b.json"), "w") as f:
            json.dump(FEATURES[:1], f)
        with open(os.path.join(self.folder, "bad.json"), "w") as f:
            f.write("[{]")
        command = ("stats", "a.json", "bad.json", "b.json", "none.json", "--size", "100x100")
        done = self.run_labels(*command, "--json", expect=1)
        report = json.loads(done.stdout)
        self.assertEqual([f.get("error", "")[:8] for f in report["files"]], ["", "bad.json", "", "cannot r"])
        self.assertEqual([(c["class"], c["objects"], c["area_px"]) for c in report["total"]],
                         [("G", 2, 2 * 384), ("FC", 1, 100)])
        self.assertEqual(report["total"][0]["share"], 2 * 384 / 20000)
        self.assertIn("error: bad.json: this is no JSON", done.stderr)
        lines = self.run_labels(*command, expect=1).stdout.splitlines()
        self.assertEqual([line.split()[0] for line in lines], ["file", "a.json", "a.json", "b.json", "total", "total"])
        self.assertTrue(lines[4].startswith("total of 2 files"))

    def test_takes_the_size_from_a_slide(self):
        write_tiff(os.path.join(self.folder, "slide.tif"), 100, 95, mpp=.5)
        report = json.loads(self.run_labels("stats", "a.json", "--slide", "slide.tif", "--json").stdout)
        one = report["files"][0]
        self.assertEqual((one["width"], one["height"]), (100, 95))
        self.assertEqual([c["area_px"] for c in one["classes"]], [384, 50])  # FC is cut off below
        self.assertEqual(one["classes"][0]["area_um2"], 96)  # the slide tells its microns per pixel
        self.run_labels("convert", "a.json", "--slide", "slide.tif", "--to", "rle", "--out", "a.csv")
        self.assertIn("\nslide,G,", self.read("a.csv"))  # and the row has the slide's name
        write_png(os.path.join(self.folder, "mask.png"), 100, 94)
        wrong = self.run_labels("convert", "mask.png", "--slide", "slide.tif", "--to", "rle", "--out", "m.csv", expect=1)
        self.assertIn("mask.png has 100 x 94 px, the slide 100 x 95", wrong.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "m.csv")))

    @unittest.skipUnless(os.path.isdir(SLIDES), "no ../shared/data/slides, and NEPHRON_SHARED is not set")
    def test_takes_the_size_from_a_scanned_slide(self):
        svs = os.path.join(SLIDES, "cmu-1-small-region.svs")
        report = json.loads(self.run_labels("stats", "a.json", "--slide", svs, "--json").stdout)
        self.assertEqual((report["files"][0]["width"], report["files"][0]["height"]), (2220, 2967))
        self.assertAlmostEqual(report["total"][0]["area_um2"], 384 * .499 ** 2)
        self.run_labels("convert", "a.json", "--slide", svs, "--to", "tiff")
        again = json.loads(self.run_labels("stats", "a.tiff", "--slide", svs, "--classes", "G,FC", "--json").stdout)
        self.assertEqual([c["area_px"] for c in again["total"]], [384, 31 * 31])
        broken = self.run_labels("stats", "a.json", "--slide", os.path.join(SLIDES, "broken.svs"), expect=1)
        self.assertIn("no reader suits slide file", broken.stderr)

    def test_run_lengths_that_overlap_or_leave_the_slide(self):
        for runs, says in (("1 5 3 2", "run 2 of the run lengths (3 + 2) begins before the end of the run ahead"),
                           ("1 5 9990 12", "run 2 of the run lengths (9990 + 12) leaves the mask of 10000 pixels")):
            with open(os.path.join(self.folder, "runs.csv"), "w") as f:
                f.write(f"id,encoding\na,{runs}\n")
            wrong = self.run_labels("convert", "runs.csv", "--size", "100x100", "--to", "png", expect=1)
            self.assertIn(f"error: runs.csv:2: {says}", wrong.stderr)
            self.assertNotIn("runs.png", os.listdir(self.folder))
        with open(os.path.join(self.folder, "runs.csv"), "w") as f:
            f.write("id,mask\na,1 5\n")
        wrong = self.run_labels("stats", "runs.csv", "--size", "100x100", expect=1)
        self.assertIn('runs.csv:1: there is no column "encoding"', wrong.stderr)

    def test_says_what_is_wrong(self):
        self.assertIn("does not say how large", self.run_labels("convert", "a.json", "--to", "rle", expect=1).stderr)
        self.assertIn("WIDTHxHEIGHT", self.run_labels("stats", "a.json", "--size", "100", expect=2).stderr)
        self.run_labels("convert", "a.json", "--size", "9x9", "--to", "jpeg", expect=2)
        self.run_labels("convert", "a.json", "--size", "9x9", "--to", "rle")
        again = self.run_labels("convert", "a.json", "--size", "9x9", "--to", "rle", expect=1)
        self.assertIn("--overwrite", again.stderr)
        self.run_labels("convert", "a.json", "--size", "9x9", "--to", "rle", "--overwrite")
        with open(os.path.join(self.folder, "bad.json"), "w") as f:
            f.write('[{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[1]]]}}]')
        self.assertIn("bad.json: feature 1: vertex 1 of a ring is not [x, y]",
                      self.run_labels("stats", "bad.json", "--size", "9x9", expect=1).stderr)

    def test_a_large_slide_needs_little_memory(self):
        command = [a.nephron, "labels", "convert", "a.json", "--size", "60000x50000", "--to", "tiff"]
        done = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        _, status, usage = os.wait4(done.pid, 0)
        done.stdout.close(), done.stderr.close()
        done.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(done.returncode, 0)
        self.assertLess(usage.ru_maxrss / 1024, 600)  # the mask has 3000 MB
        self.assertEqual(os.listdir(self.folder).count("a.tiff"), 1)

    def test_an_interrupt_leaves_nothing_half_written(self):
        command = [a.nephron, "labels", "convert", "a.json", "--size", "400000x400000", "--to", "png"]
        running = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while not any("partial" in name for name in os.listdir(self.folder)) and time.monotonic() < deadline:
            time.sleep(.02)
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)
        self.assertEqual(running.returncode, 130)
        self.assertEqual(os.listdir(self.folder), ["a.json"])


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    unittest.main(argv=[sys.argv[0], *rest])
