"""Statistics of slides' stains, for the components of this folder.

    python stain_statistics.py --out stains.json ID=PICTURE ID=PICTURE ...      (needs numpy and opencv-python)

A PICTURE is a slide, or a part of it, at any reduction: PNG, JPEG or TIFF. Of up to 200,000 pixels of tissue: the two
stains by Macenko et al. 2009 (--method vahadane: by non-negative factors, Vahadane et al. 2016, without their
sparsity), the amount of each that one pixel in a hundred exceeds, mean and deviation in CIELAB.
"""
import argparse
import json

import cv2
import numpy as np


def tissue(picture, least=0.15, most=200_000):
    """Pixels [n, 3] that are not background: their optical density exceeds `least` in some channel."""
    pixels = picture.reshape(-1, 3)
    found = pixels[(densities(pixels) > least).any(1)]
    if len(found) < 100:
        raise SystemExit(f"{len(found)} pixels of tissue: too few to find stains in")
    return found[np.linspace(0, len(found) - 1, min(len(found), most)).astype(int)]


def densities(pixels):
    return np.log(255 / np.maximum(pixels.astype(float), 0.25))


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def haematoxylin_first(stains):
    """Haematoxylin takes more red away."""
    return stains if stains[0, 0] > stains[1, 0] else stains[::-1]


def macenko(od, percentile=99):
    """The outermost directions in the plane that holds most of the densities."""
    plane = np.linalg.eigh(np.cov(od.T))[1][:, [2, 1]]
    plane *= np.where(plane.sum(0) < 0, -1, 1)
    angles = np.arctan2(*(od @ plane).T[::-1])
    ends = np.percentile(angles, [100 - percentile, percentile])
    return haematoxylin_first(unit(np.abs(np.stack([np.cos(ends), np.sin(ends)], 1) @ plane.T)))


def vahadane(od, steps=100):
    """Non-negative factors by multiplicative updates (Lee and Seung 2001), from Ruifrok and Johnston's stains on."""
    stains = unit(np.array([[0.644211, 0.716556, 0.266844], [0.092789, 0.954111, 0.283111]]))
    amounts = np.maximum(od @ stains.T, 1e-6)
    for _ in range(steps):
        amounts *= od @ stains.T / (amounts @ (stains @ stains.T) + 1e-9)
        stains *= amounts.T @ od / (amounts.T @ amounts @ stains + 1e-9)
        stains = unit(stains)
    return haematoxylin_first(stains)


def statistics(picture, method="macenko"):
    pixels = tissue(picture)
    od = densities(pixels)
    stains = {"macenko": macenko, "vahadane": vahadane}[method](od)
    amounts = od @ np.linalg.pinv(stains)
    lab = cv2.cvtColor(pixels[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
    return {"stains": stains.tolist(), "strength": np.percentile(amounts, 99, axis=0).tolist(),
            "lab_mean": lab.mean(0).astype(float).tolist(), "lab_deviation": lab.std(0).astype(float).tolist()}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("slides", nargs="+", metavar="ID=PICTURE", help="the slide's name in the data set, and its picture")
    p.add_argument("--out", required=True, help="the JSON file to write")
    p.add_argument("--method", choices=["macenko", "vahadane"], default="macenko")
    a = p.parse_args()
    slides = {}
    for slide in a.slides:
        name, _, path = slide.partition("=")
        picture = cv2.imread(path) if path else None
        if picture is None:
            raise SystemExit(f"{slide}: expected ID=PICTURE, a file that OpenCV reads")
        slides[name] = statistics(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), a.method)
    with open(a.out, "w") as f:
        json.dump({"slides": slides}, f, indent=1)


if __name__ == "__main__":
    main()
