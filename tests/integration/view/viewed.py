"""What the viewer's tests look at: a slide, two predictions of it, a submission; and the viewer as a process."""
import json
import math
import os
import re
import struct
import subprocess
import threading
import zlib

WIDTH, HEIGHT = 1600, 1200
DISCS = [(300, 300, 90), (800, 400, 120), (1300, 300, 70), (500, 900, 100), (1200, 900, 140)]


def write_png(path, width, rows, channels):
    """`rows`: bytes of each row."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    raw = b"".join(b"\0" + row for row in rows)
    with open(path, "wb") as out:
        out.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, len(rows), 8,
                                                                    {1: 0, 3: 2}[channels], 0, 0, 0))
                  + chunk(b"IDAT", zlib.compress(raw, 1)) + chunk(b"IEND", b""))


def disc_rows(discs, width=WIDTH, height=HEIGHT):
    """Rows of a mask: [first, end) of each disc by row."""
    rows = []
    for y in range(height):
        spans = []
        for cx, cy, r in discs:
            if abs(y - cy) <= r:
                half = int(math.sqrt(r * r - (y - cy) ** 2))
                spans.append((max(0, cx - half), min(width, cx + half + 1)))
        rows.append(spans)
    return rows


def grey(discs, value, width=WIDTH, height=HEIGHT):
    out = []
    for spans in disc_rows(discs, width, height):
        row = bytearray(width)
        for first, end in spans:
            row[first:end] = bytes([value]) * (end - first)
        out.append(bytes(row))
    return out


def write_slide(path, width=WIDTH, height=HEIGHT, discs=DISCS):
    rows = []
    for y, spans in enumerate(disc_rows(discs, width, height)):
        row = bytearray(bytes([236, 226 - (y // 40) % 2 * 6, 234]) * width)
        for first, end in spans:
            row[3 * first:3 * end] = bytes([186, 120, 170]) * (end - first)
        rows.append(bytes(row))
    write_png(path, width, rows, 3)


def write_prediction(folder, images, masks, discs, value, ids=("slide",), name="glomerulus"):
    for i in ids:
        write_png(f"{folder}/probabilities/{name}/{i}.png", WIDTH, grey(discs, value), 1)
        write_png(f"{folder}/masks/{name}/{i}.png", WIDTH, grey(discs, 255), 1)
        os.makedirs(f"{folder}/pictures", exist_ok=True)
        with open(f"{folder}/pictures/{i}.json", "w") as out:
            json.dump({"width": WIDTH, "height": HEIGHT}, out)
    with open(f"{folder}/predict.json", "w") as out:
        json.dump({"images": images, "masks": masks, "classes": [name], "settings": {"folds": [0]}}, out)


def write_submission(path, discs, slide="slide"):
    """Kaggle's runs: down the columns, counted from 1."""
    runs = []
    by_column = [[] for _ in range(WIDTH)]
    for cx, cy, r in discs:
        for x in range(cx - r, cx + r + 1):
            half = int(math.sqrt(r * r - (x - cx) ** 2))
            by_column[x].append((cy - half, 2 * half + 1))
    for x, column in enumerate(by_column):
        runs += [(x * HEIGHT + top + 1, length) for top, length in sorted(column)]
    with open(path, "w") as out:
        out.write("id,predicted\n%s,%s\n" % (slide, " ".join(f"{a} {b}" for a, b in runs)))


def make(folder):
    """Everything in one folder."""
    moved = [(x + 12, y + 8, r - 6) for x, y, r in DISCS]
    write_slide(f"{folder}/images/slide.png")
    write_png(f"{folder}/truth/glomerulus/slide.png", WIDTH, grey(DISCS, 255), 1)
    write_prediction(f"{folder}/run-a", f"{folder}/images", f"{folder}/truth", moved, 230)
    write_prediction(f"{folder}/run-b", f"{folder}/images", f"{folder}/truth", moved[1:] + [(1400, 600, 50)], 180)
    write_submission(f"{folder}/submission.csv", moved[:3])


class Viewer:
    """`nephron view ...` until the block ends; `url` is its address."""

    def __init__(self, program, *arguments, cwd):
        self.process = subprocess.Popen([program, "view", *map(str, arguments)], cwd=cwd, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        first = self.process.stdout.readline()
        found = re.search(r"open (http://\S+)", first)
        if not found:
            _, error = self.process.communicate(timeout=60)
            raise AssertionError(f"no address: {first}{error}")
        self.url = found.group(1)
        self.errors = []
        threading.Thread(target=lambda: self.errors.extend(self.process.stderr), daemon=True).start()

    def peak_mib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) / 1024

    def end(self):
        self.process.terminate()
        code = self.process.wait(60)
        self.process.stdout.close()
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
