"""Open the store's files with the programs that others use; every pixel must be what OpenCV makes of the whole slide.

argv: folder with slide.raw and labels.raw (width and height follow) and the files that nephron wrote, one a factor.
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

# tifffile.
for factor, wanted in zip(factors, pictures):
    with tifffile.TiffFile(f"{folder}/picture-{factor}.tiff") as tiff:
        assert tiff.is_bigtiff == big
        page, = tiff.pages
        assert page.is_tiled and page.compression == 1
        same(page.asarray(), wanted, "tifffile, page")
        numerator, denominator = page.tags["XResolution"].value
        assert page.tags["ResolutionUnit"].value == 3 and abs(1e4 * denominator / numerator - 0.25 * factor) < 1e-6

for factor, mask in zip(factors, masks):
    with tifffile.TiffFile(f"{folder}/labels-{factor}.tiff") as tiff:
        kinds = [page.description for page in tiff.pages]
        assert len(kinds) == 2, kinds
        same(tiff.pages[0].asarray(), mask, "tifffile, labels")
        h, w = -(-mask.shape[0] // 16), -(-mask.shape[1] // 16)  # the union of the bits of 16 x 16
        padded = np.zeros((16 * h, 16 * w), np.uint8)
        padded[:mask.shape[0], :mask.shape[1]] = mask
        same(tiff.pages[1].asarray(), np.bitwise_or.reduce(padded.reshape(h, 16, w, 16), axis=(1, 3)), "tifffile, presence")

# OpenSlide. Labels are gray; it opens them as colours.
for factor, picture, mask in zip(factors, pictures, masks):
    with openslide.OpenSlide(f"{folder}/picture-{factor}.tiff") as file:
        assert file.properties["openslide.vendor"] == "generic-tiff"
        assert file.level_dimensions == ((picture.shape[1], picture.shape[0]),), file.level_dimensions
        got = np.asarray(file.read_region((0, 0), 0, file.level_dimensions[0]))
        same(got[..., :3], picture, f"OpenSlide, factor {factor}")
    with openslide.OpenSlide(f"{folder}/labels-{factor}.tiff") as file:
        got = np.asarray(file.read_region((0, 0), 0, file.level_dimensions[0]))
        same(got[..., 1], mask, "OpenSlide, labels")

# libvips.
for factor, picture, mask in zip(factors, pictures, masks):
    same(pyvips.Image.new_from_file(f"{folder}/picture-{factor}.tiff").numpy(), picture, f"libvips, factor {factor}")
    same(pyvips.Image.new_from_file(f"{folder}/labels-{factor}.tiff", page=0).numpy().reshape(mask.shape), mask, f"libvips, labels {factor}")

tissue = cv2.imread(f"{folder}/tissue.png", cv2.IMREAD_GRAYSCALE)
saturation = cv2.cvtColor(pictures[-1], cv2.COLOR_RGB2HSV)[..., 1]
block = int(sys.argv[5])
if block == 1:
    threshold = min(max(cv2.threshold(saturation, 0, 255, cv2.THRESH_OTSU)[0], 10), 50)
    same(tissue, np.where(saturation > threshold, 255, 0).astype(np.uint8), "tissue")
print("same")
