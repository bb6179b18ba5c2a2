"""Albumentations' (and scikit-image's) own transforms with the parameters that a plugin has drawn.

Usage: peer.py FOLDER. FOLDER/jobs.json lists jobs {name, transform, ...}; FOLDER/image.png and labels.png are the input.
Writes FOLDER/<name>.image.png and FOLDER/<name>.labels.png; where a job asks for numbers, FOLDER/<name>.json.
"""
import json
import os
import sys

import albumentations as A
import cv2
import numpy as np

assert A.__version__ == "2.0.8", A.__version__


class FixedAffine(A.Affine):
    def get_params_dependent_on_data(self, params, data):
        return super().get_params_dependent_on_data(params, data) | {"matrix": self.fixed}


class FixedContrast(A.RandomBrightnessContrast):
    def get_params_dependent_on_data(self, params, data):
        return self.fixed


class FixedBlur(A.GaussianBlur):
    def get_params_dependent_on_data(self, params, data):
        return {"kernel": self.fixed}


class FixedElastic(A.ElasticTransform):
    def get_params_dependent_on_data(self, params, data):
        return {"map_x": self.fixed[0], "map_y": self.fixed[1]}


def stains(job):
    """Through scikit-image's stains, of which it cuts off negative ones."""
    from skimage.color import hed2rgb, rgb2hed

    def change(image, mask):
        hed = rgb2hed(image) * job["scales"] + np.array(job["shifts"]) / -np.log(1e-6)
        return {"image": np.rint(hed2rgb(hed) * 255).astype(np.uint8), "mask": mask}
    return change


def densities(job):
    """The same, of stains of either sign, and with a white; 0 counts as 1/4."""
    from skimage.color import hed_from_rgb, rgb_from_hed
    white = np.array(job["white"], float)

    def change(image, mask):
        hed = np.log(white / np.maximum(image, 0.25)) @ hed_from_rgb
        rgb = white * np.exp(-(hed * job["scales"] + job["shifts"]) @ rgb_from_hed)
        return {"image": np.rint(np.clip(rgb, 0, 255)).astype(np.uint8), "mask": mask}
    return change


def field_of(job):
    """A grid of displacements by linear interpolation: [2, height, width]."""
    nodes = np.array(job["grid"], float).reshape(job["down"], job["across"], 2)
    height, width = job.get("size", image.shape[:2])
    at_x, at_y = np.arange(job["across"]) * job["spacing"], np.arange(job["down"]) * job["spacing"]
    rows = np.stack([[np.interp(np.arange(width), at_x, row) for row in nodes[..., c]] for c in range(2)])
    return np.stack([[np.interp(np.arange(height), at_y, column) for column in rows[c].T] for c in range(2)]
                    ).transpose(0, 2, 1)


def elastic(job):
    t = FixedElastic(border_mode=job["border"], p=1)
    height, width = image.shape[:2]
    t.fixed = (np.stack(np.meshgrid(np.arange(width), np.arange(height))) + field_of(job)).astype(np.float32)
    return t


def elastic_error(job):
    """How far linear interpolation of the grid lies from a cubic spline through its nodes, in pixels."""
    from scipy.interpolate import RectBivariateSpline
    nodes = np.array(job["grid"], float).reshape(job["down"], job["across"], 2)
    height, width = job["size"]
    at_x, at_y = np.arange(job["across"]) * job["spacing"], np.arange(job["down"]) * job["spacing"]
    smooth = np.stack([RectBivariateSpline(at_y, at_x, nodes[..., c])(np.arange(height), np.arange(width))
                       for c in range(2)])
    off = (field_of(job) - smooth)[:, 10:-10, 10:-10]  # at its ends a spline is free
    return {"deviation": float(smooth.std()), "rms": float(np.sqrt((off ** 2).mean())), "worst": float(abs(off).max())}


def elastic_fields(job):
    """Deviation, and correlation over a distance of sigma, of fields that Albumentations draws."""
    from albumentations.augmentations.geometric import functional as F
    sigma, side = job["sigma"], job["side"]
    margin = int(4 * sigma)  # its edges move more
    squares, products = [], []
    rng = np.random.default_rng(1)
    for _ in range(job["fields"]):
        pair = F.generate_displacement_fields((side, side), job["alpha"], sigma, same_dxdy=False, kernel_size=(0, 0),
                                              random_generator=rng, noise_distribution="uniform")
        for field in pair:
            inner = field[margin:-margin, margin:-margin].astype(float)
            squares.append((inner ** 2).mean())
            products.append((inner[:, job["distance"]:] * inner[:, :-job["distance"]]).mean())
    return {"deviation": float(np.sqrt(np.mean(squares))), "correlation": float(np.mean(products) / np.mean(squares))}


def transform(job):
    kind = job["transform"]
    if kind in ("stains", "densities"):
        return globals()[kind](job)
    if kind == "flip":
        return A.Compose([A.HorizontalFlip(p=float(job["horizontal"])), A.VerticalFlip(p=float(job["vertical"]))])
    if kind == "affine":  # Albumentations' own construction of the matrix from the drawn numbers
        t = A.Affine(scale={"x": (job["sx"],) * 2, "y": (job["sy"],) * 2}, rotate=(job["angle"],) * 2,
                     translate_px={"x": job["dx"], "y": job["dy"]}, border_mode=job["border"], p=1)
    elif kind == "matrix":
        t = FixedAffine(border_mode=job["border"], p=1)
        t.fixed = np.array(job["matrix"] + [0, 0, 1], float).reshape(3, 3)
    elif kind == "contrast":
        t = FixedContrast(p=1)
        t.fixed = {"alpha": job["alpha"], "beta": job["beta"]}
    elif kind == "blur":
        if "side" in job:  # as in 2021: a side and no deviation
            return lambda image, mask: {"image": cv2.GaussianBlur(image, (job["side"],) * 2, 0), "mask": mask}
        t = FixedBlur(p=1)
        from albumentations.augmentations.blur import functional as F
        t.fixed = F.create_gaussian_kernel_1d(job["sigma"], job["size"])
    elif kind == "elastic":
        t = elastic(job)
    else:
        raise ValueError(kind)
    return A.Compose([t])


folder = sys.argv[1]
image = cv2.cvtColor(cv2.imread(os.path.join(folder, "image.png")), cv2.COLOR_BGR2RGB)
labels = cv2.imread(os.path.join(folder, "labels.png"), cv2.IMREAD_GRAYSCALE)
with open(os.path.join(folder, "jobs.json")) as f:
    jobs = json.load(f)
for job in jobs:
    if job["transform"] in ("elastic_error", "elastic_fields"):
        with open(os.path.join(folder, job["name"] + ".json"), "w") as f:
            json.dump(globals()[job["transform"]](job), f)
        continue
    out = transform(job)(image=image, mask=labels)
    cv2.imwrite(os.path.join(folder, job["name"] + ".image.png"), cv2.cvtColor(out["image"], cv2.COLOR_RGB2BGR))
    cv2.imwrite(os.path.join(folder, job["name"] + ".labels.png"), out["mask"])
