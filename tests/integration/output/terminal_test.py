"""What names of files, slides and classes hold never drives the terminal, and damaged pictures are told of in our
words, by their names: nothing of libpng, libjpeg or OpenCV is printed."""
import glob
import os
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../support"))
from given import arguments  # noqa: E402
from slide_files import write_png, write_tiff  # noqa: E402

a, rest = arguments()

ODD = "\x1b[31mred\x9b1m"  # an escape sequence, and one that begins with a C1 control
EXPERIMENT = """
classes = ["glomerulus", "odd"]
sampler = { type = "uniform" }
[data]
STORE
most_lost = 1.0
factor = 1
tile = 32
[[dataset]]
type = "image_folder"
root = "data"
values = { glomerulus = 1, odd = 2 }
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


def damaged(png):
    """Copies of a PNG: cut short, with a wrong byte, and with wrong data behind a right check sum."""
    at = png.index(b"IDAT")
    size = struct.unpack(">I", png[at - 4:at])[0]
    wrong = bytearray(png)
    wrong[at + 4 + size // 2] ^= 1
    data = b"IDAT" + bytes(wrong[at + 4:at + 4 + size])
    sealed = png[:at] + data + struct.pack(">I", zlib.crc32(data)) + png[at + 8 + size:]
    return {"cut": png[:len(png) // 2], "wrong": bytes(wrong), "sealed": sealed}


class Terminal(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = scratch.name
        for name in ("data/images", "data/masks"):
            os.makedirs(self.at(name))
        for i in (1, 2, 3):
            write_png(self.at(f"data/images/{ODD}-{i}.png"), 64, 64, lambda x, y: (x * y + i) % 251)
            write_png(self.at(f"data/masks/{ODD}-{i}.png"), 64, 64, lambda x, y: 1 if 10 < x < 40 else 0)
        with open(self.at(f"data/images/{ODD}-1.png"), "rb") as file:
            self.damaged = damaged(file.read())
        for name, content in self.damaged.items():
            with open(self.at(f"data/images/{ODD}\nnext-{name}.png"), "wb") as file:
                file.write(content)
        for name, store in (("held.toml", ""), ("stored.toml", 'store = "store"')):
            with open(self.at(name), "w") as out:
                out.write(EXPERIMENT.replace("STORE", store))

    def at(self, *names):
        return os.path.join(self.folder, *names)

    def run_nephron(self, *arguments, want=0):
        done = subprocess.run([a.nephron, *arguments], cwd=self.folder, capture_output=True, timeout=120)
        text = (done.stdout + done.stderr).decode()  # UTF-8, whatever is in it
        self.assertEqual(done.returncode, want, text)
        self.plain(text)
        return text

    def plain(self, text):
        for c in text:
            self.assertFalse((ord(c) < 32 and c not in "\n\t") or 0x7f <= ord(c) < 0xa0, ascii(text))
        for word in ("libpng", "OpenCV", "imgcodecs", "imdecode", "Corrupt JPEG", "json.exception"):
            self.assertNotIn(word, text)

    def test_names_are_printed_as_text(self):
        text = self.run_nephron("data", "check", "held.toml", want=1)
        self.assertIn("\\x1b[31mred", text)
        for name in self.damaged:
            self.assertRegex(text, f'slide "[^\n]*red[^\n]*next-{name}"')
        self.run_nephron("prepare", "stored.toml", want=1)
        self.assertIn("red\\xc2\\x9b1m", self.run_nephron("store", "list", "store"))
        self.run_nephron("store", "verify", "store")  # what is damaged has left nothing
        self.run_nephron("data", "preview", "stored.toml", "--windows", "1", "--out", "p.png")
        self.run_nephron("train", "stored.toml")
        with open(glob.glob(self.at("runs/*/*/log.txt"))[0], encoding="utf-8") as file:
            log = file.read()
        self.assertIn("next-cut", log)
        self.plain(log)
        damaged_picture = glob.glob(self.at("store/pictures/*/*.tiff"))[0]
        os.truncate(damaged_picture, os.path.getsize(damaged_picture) // 2)
        self.assertIn("red", self.run_nephron("store", "verify", "store", want=1))

    def test_slides_labels_and_configurations(self):
        write_tiff(self.at(f"{ODD}\nnext.tif"), 64, 64)
        text = self.run_nephron("slide", "info", f"{ODD}\nnext.tif")
        self.assertIn("\\x1b[31mred\\xc2\\x9b1m\\nnext.tif", text)
        self.run_nephron("slide", "info", f"{ODD}.nothing", want=1)
        with open(self.at("l.json"), "w") as out:
            out.write('[{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[1,1],[9,1],[9,9]]]},'
                      '"properties": {"classification": {"name": "odd\\u001b[2J\\nnext"}}}]')
        self.assertIn("odd\\x1b[2J\\nnext", self.run_nephron("labels", "stats", "l.json", "--size", "20x20"))
        with open(self.at("bad.toml"), "w") as out:
            out.write('classes = ["a"]\n"key\\u001B[2J" = 1\n')
        self.run_nephron("config", "check", "bad.toml", want=2)
        with open(self.at("class.toml"), "w") as out:
            out.write(EXPERIMENT.replace("STORE", "").replace('"odd"', '"odd\\u001B[2J"'))
        self.assertIn("control character", self.run_nephron("config", "check", "class.toml", want=2))
        self.run_nephron("config", "show", f"{ODD}.toml", want=2)
        self.run_nephron("config", f"{ODD}", want=2)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *rest])
