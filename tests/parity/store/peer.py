"""Open the store's files with the programs that others use; every pixel must be what OpenCV makes of the whole slide.

argv: folder with slide.raw and labels.raw (width and height follow) and the files that nephron wrote.
"""
import sys

import cv2
import numpy as np
import openslide
import pyvips
import tifffile

folder, width, height, big = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "big"
slide = np.fromfile(f"{folder}/slide.raw", np.uint8).reshape(height, width, 3)
labels = np.fromfile(f"{folder}/labels.raw", np.uint8).reshape(height, width)
factors = (2, 4)


def same(got, wanted, what):
    assert got.shape == wanted.shape, f"{what}: {got.shape}, not {wanted.shape}"
    assert np.array_equal(got, wanted), f"{what}: {np.count_nonzero(got != wanted)} values differ"


pictures = [cv2.resize(slide, (width // f, height // f), interpolation=cv2.INTER_AREA) for f in factors]
masks = [cv2.resize(labels, (width // f, height // f), interpolation=cv2.INTER_NEAREST) for f in factors]

# tifffile: pages, and the pyramid that it finds by itself.
with tifffile.TiffFile(f"{folder}/picture.tiff") as tiff:
    assert tiff.is_bigtiff == big
    for page, wanted in zip(tiff.pages, pictures, strict=True):
        assert page.is_tiled and page.compression == 1
        same(page.asarray(), wanted, "tifffile, page")
    levels = tiff.series[0].levels
    assert len(tiff.series) == 1 and len(levels) == 2, f"tifffile sees {tiff.series}"
    for level, wanted in zip(levels, pictures):
        same(level.asarray(), wanted, "tifffile, level")
    numerator, denominator = tiff.pages[0].tags["XResolution"].value
    assert tiff.pages[0].tags["ResolutionUnit"].value == 3 and abs(1e4 * denominator / numerator - 0.5) < 1e-6

with tifffile.TiffFile(f"{folder}/labels.tiff") as tiff:
    kinds = [page.description for page in tiff.pages]
    assert len(kinds) == 4, kinds
    for page, wanted in zip(tiff.pages[:2], masks):
        same(page.asarray(), wanted, "tifffile, labels")
    for page, mask in zip(tiff.pages[2:], masks):  # the union of the bits of 16 x 16
        h, w = -(-mask.shape[0] // 16), -(-mask.shape[1] // 16)
        padded = np.zeros((16 * h, 16 * w), np.uint8)
        padded[:mask.shape[0], :mask.shape[1]] = mask
        same(page.asarray(), np.bitwise_or.reduce(padded.reshape(h, 16, w, 16), axis=(1, 3)), "tifffile, presence")

# OpenSlide: a slide of two levels. Its labels are gray; it opens them as colours.
with openslide.OpenSlide(f"{folder}/picture.tiff") as file:
    assert file.properties["openslide.vendor"] == "generic-tiff"
    assert file.level_dimensions == tuple((p.shape[1], p.shape[0]) for p in pictures), file.level_dimensions
    for level, wanted in enumerate(pictures):
        got = np.asarray(file.read_region((0, 0), level, file.level_dimensions[level]))
        same(got[..., :3], wanted, f"OpenSlide, level {level}")
with openslide.OpenSlide(f"{folder}/labels.tiff") as file:
    got = np.asarray(file.read_region((0, 0), 0, file.level_dimensions[0]))
    same(got[..., 1], masks[0], "OpenSlide, labels")

# libvips.
for page, wanted in enumerate(pictures):
    same(pyvips.Image.new_from_file(f"{folder}/picture.tiff", page=page).numpy(), wanted, f"libvips, page {page}")
for page, wanted in enumerate(masks):
    same(pyvips.Image.new_from_file(f"{folder}/labels.tiff", page=page).numpy().reshape(wanted.shape), wanted, f"libvips, labels {page}")

tissue = cv2.imread(f"{folder}/tissue.png", cv2.IMREAD_GRAYSCALE)
saturation = cv2.cvtColor(pictures[-1], cv2.COLOR_RGB2HSV)[..., 1]
block = int(sys.argv[5])
if block == 1:
    threshold = min(max(cv2.threshold(saturation, 0, 255, cv2.THRESH_OTSU)[0], 10), 50)
    same(tissue, np.where(saturation > threshold, 255, 0).astype(np.uint8), "tissue")
print("same")
