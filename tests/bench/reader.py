"""The peers' side of reader.toml: random regions of a slide as RGB, the file opened anew for every 40 of them.

openslide  read_region, its default cache, RGBA to RGB by OpenCV
tifffile   tiles decoded by imagecodecs and kept for as long as the file is open, as a careful user would
"""
import argparse
import functools
import json
import time

import cv2
import numpy as np

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--slide", required=True)
p.add_argument("--variant", choices=["openslide", "tifffile"], required=True)
p.add_argument("--size", type=int, default=512)
p.add_argument("--factor", type=int, default=1)
p.add_argument("--n", type=int, default=40)
p.add_argument("--rounds", type=int, default=10)
p.add_argument("--seed", type=int, default=0)
a = p.parse_args()
side = a.size * a.factor
cv2.setNumThreads(1)


def open_openslide():
    slide = openslide.OpenSlide(a.slide)

    def read(x, y):
        return cv2.cvtColor(np.asarray(slide.read_region((x, y), 0, (side, side))), cv2.COLOR_RGBA2RGB)
    return read, slide.dimensions


def open_tifffile():
    file = open(a.slide, "rb")
    page = tifffile.TiffFile(file).pages[0].aspage()
    # Made at their first use, which moves the file.
    offsets, counts, tables, decode = page.dataoffsets, page.databytecounts, page.jpegtables, page.decode
    across = -(-page.imagewidth // page.tilewidth)

    @functools.lru_cache(None)
    def tile(index):
        file.seek(offsets[index])
        return decode(file.read(counts[index]), index, jpegtables=tables)[0][0]

    def read(x, y):
        out = np.empty((side, side, 3), np.uint8)
        for r in range(y // page.tilelength, -(-(y + side) // page.tilelength)):
            for c in range(x // page.tilewidth, -(-(x + side) // page.tilewidth)):
                top, left = r * page.tilelength, c * page.tilewidth
                y0, x0, y1, x1 = max(y, top), max(x, left), min(y + side, top + page.tilelength), min(x + side, left + page.tilewidth)
                out[y0 - y:y1 - y, x0 - x:x1 - x] = tile(r * across + c)[y0 - top:y1 - top, x0 - left:x1 - left]
        return out
    return read, (page.imagewidth, page.imagelength)


if a.variant == "openslide":
    import openslide
    opener = open_openslide
else:
    import tifffile
    opener = open_tifffile
read, (width, height) = opener()
read(0, 0)  # what is imported at the first use
rng = np.random.default_rng(a.seed)
opening = 0
start = time.perf_counter()
for _ in range(a.rounds):
    begin = time.perf_counter()
    read, _ = opener()
    opening += time.perf_counter() - begin
    for _ in range(a.n):
        region = read(int(rng.integers(0, width - side)), int(rng.integers(0, height - side)))
        if a.factor > 1:
            region = cv2.resize(region, (a.size, a.size), interpolation=cv2.INTER_AREA)
seconds = time.perf_counter() - start
print(json.dumps({"job": "read", "variant": a.variant, "seconds": seconds, "open_s": opening / a.rounds,
                  "items_per_s": a.rounds * a.n / seconds, "factor": a.factor}))
