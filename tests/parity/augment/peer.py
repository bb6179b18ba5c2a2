"""Albumentations' own transforms with the parameters that a plugin has drawn.

Usage: peer.py FOLDER. FOLDER/jobs.json lists jobs {name, transform, ...}; FOLDER/image.png and labels.png are the input.
Writes FOLDER/<name>.image.png and FOLDER/<name>.labels.png.
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


def transform(job):
    kind = job["transform"]
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
    else:
        raise ValueError(kind)
    return A.Compose([t])


folder = sys.argv[1]
image = cv2.cvtColor(cv2.imread(os.path.join(folder, "image.png")), cv2.COLOR_BGR2RGB)
labels = cv2.imread(os.path.join(folder, "labels.png"), cv2.IMREAD_GRAYSCALE)
with open(os.path.join(folder, "jobs.json")) as f:
    jobs = json.load(f)
for job in jobs:
    out = transform(job)(image=image, mask=labels)
    cv2.imwrite(os.path.join(folder, job["name"] + ".image.png"), cv2.cvtColor(out["image"], cv2.COLOR_RGB2BGR))
    cv2.imwrite(os.path.join(folder, job["name"] + ".labels.png"), out["mask"])
