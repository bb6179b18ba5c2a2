"""Small sweeps: six pictures with dark discs, a network of one convolution."""
import glob
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../support"))
from given import arguments  # noqa: E402
from slide_files import write_png  # noqa: E402

a, rest = arguments("--tiny")

BASE = """
name = "tiny"
seed = 7
classes = ["disc"]
plugins = ["{tiny}"]
sampler = {{ type = "uniform" }}
[data]
factor = 1
tile = 32
workers = 1
folds = {{ count = 3 }}
[[dataset]]
type = "image_folder"
root = "data"
[model]
encoder = {{ type = "test-tiny" }}
decoder = {{ type = "test-tiny" }}
[loss]
terms = [ {{ type = "bce" }} ]
[train]
epochs = 4
steps_per_epoch = 4
batch = 2
threads = 1
optimizer = {{ type = "adam", lr = 0.02 }}
"""


class SweepTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = scratch.name
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("NEPHRON_")}
        self.make_files()

    def make_files(self):
        """What the sweeps train on, and what they vary."""
        for name in ("data/images", "data/masks"):
            os.makedirs(os.path.join(self.folder, name))
        for i in range(6):
            inside = lambda x, y, i=i: (x - 20 - 6 * i) ** 2 + (y - 40) ** 2 < 300
            write_png(f"{self.folder}/data/images/s{i}.png", 96, 96, lambda x, y: 90 if inside(x, y) else 210 + (x * y) % 20)
            write_png(f"{self.folder}/data/masks/s{i}.png", 96, 96, lambda x, y: 255 if inside(x, y) else 0)
        self.environment.update(XDG_CACHE_HOME=self.folder + "/cache", XDG_DATA_HOME=self.folder + "/share")
        self.write("base.toml", BASE.format(tiny=a.tiny))

    def write(self, name, text):
        with open(f"{self.folder}/{name}", "w") as f:
            f.write(text)

    def sweep_file(self, name, sweep, more=""):
        self.write(name, f'extends = "base.toml"\n{more}[sweep]\n{sweep}')

    def path(self, name):
        return f"{self.folder}/{name}"

    def start(self, *words):
        log = open(self.path(f"log-{time.monotonic_ns()}.txt"), "w+")
        self.addCleanup(log.close)
        child = subprocess.Popen([a.nephron, "sweep", *words], cwd=self.folder, env=self.environment, stdout=log, stderr=log)
        child.said = lambda: pathlib.Path(log.name).read_text()
        self.addCleanup(lambda: (child.kill(), child.wait()))
        return child

    def nephron(self, *words):
        return subprocess.run([a.nephron, *words], cwd=self.folder, env=self.environment, capture_output=True, text=True)

    def sweep(self, *words, code=0):
        done = self.nephron("sweep", *words)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def status(self, name):
        done = self.nephron("sweep", "status", name, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def until(self, holds, child=None, seconds=240):
        end = time.monotonic() + seconds
        while not holds():
            if child is not None:
                self.assertIsNone(child.poll(), "it ended too early:\n" + child.said())
            self.assertLess(time.monotonic(), end, child.said() if child else "")
            time.sleep(0.05)

    def runs(self, sweep):
        return sorted(os.path.dirname(f) for f in glob.glob(f"{self.folder}/runs/{sweep}/*/experiment.resolved.toml"))

    def losses(self, run):
        """By step; fails when a step is there twice."""
        out = {}
        with open(f"{run}/fold-0/metrics.jsonl") as f:
            for line in map(json.loads, f):
                if "loss" in line:
                    self.assertNotIn(line["step"], out, run)
                    out[line["step"]] = line["loss"]
        return out

    def sessions(self, run):
        with open(f"{run}/environment.json") as f:
            return len(json.load(f)["sessions"])


def main():
    unittest.main(argv=[sys.argv[0], *rest], verbosity=1)
