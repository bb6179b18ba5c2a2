"""Numbers about what Albumentations draws, beside what a plugin has drawn."""
import importlib.util
import json
import os

import numpy as np
from albumentations.augmentations.pixel import functional as F_pixel
from scipy.stats import ks_2samp

import transforms


def distribution(job, image, _):
    """Draws of both compared column by column: the probability of such a difference by chance (Kolmogorov-Smirnov), and
    the ranges. `observe` says what of a draw is looked at: "pixels" of the picture's corner of `size` after it, the
    "place" that the pixel `at` is read from, "map" there, or the parameters of that name."""
    ours = transforms.value({"file": job["ours"], "dtype": "float32", "shape": [job["draws"], -1]}, job["folder"])
    t = transforms.named(job)
    t.set_random_seed(job.get("seed", 1))
    width, height = job["size"]
    corner = np.ascontiguousarray(image[:height, :width])
    theirs = np.array([observed(t, job, corner) for _ in range(len(ours))], float)
    return {"p": [float(ks_2samp(a, b).pvalue) for a, b in zip(ours.T, theirs.T)],
            "low": [ours.min(0).tolist(), theirs.min(0).tolist()],
            "high": [ours.max(0).tolist(), theirs.max(0).tolist()],
            "mean": [ours.mean(0).tolist(), theirs.mean(0).tolist()],
            "deviation": [ours.std(0).tolist(), theirs.std(0).tolist()]}


def observed(t, job, corner):
    drawn = t.get_params()
    drawn |= t.get_params_dependent_on_data({"shape": corner.shape} | drawn, {"image": corner})
    what = job["observe"]
    if what == "pixels":
        return t.apply(corner, **(drawn | {"shape": corner.shape})).ravel()[job["from"]::job["step"]]
    if what == "place":  # that a pixel is read from: where a picture of its own places has it from
        x, y = job["at"]
        height, width = corner.shape[:2]
        xs, ys = np.meshgrid(np.arange(width) / width, np.arange(height) / height)
        places = np.dstack([xs, ys, np.zeros_like(xs)]).astype(np.float32)
        return t.apply(places, **(drawn | {"shape": corner.shape}))[y, x, :2] * (width, height)
    if what == "map":
        x, y = job["at"]
        return drawn["map_x"][y, x], drawn["map_y"][y, x]
    return np.ravel(drawn[what])


def elastic_error(job, *_):
    """How far linear interpolation of the grid lies from a cubic spline through its nodes, in pixels."""
    from scipy.interpolate import RectBivariateSpline
    nodes = np.array(job["grid"], float).reshape(job["down"], job["across"], 2)
    height, width = job["size"]
    at_x, at_y = np.arange(job["across"]) * job["spacing"], np.arange(job["down"]) * job["spacing"]
    smooth = np.stack([RectBivariateSpline(at_y, at_x, nodes[..., c])(np.arange(height), np.arange(width))
                       for c in range(2)])
    off = (transforms.field_of(job, job["size"]) - smooth)[:, 10:-10, 10:-10]  # at its ends a spline is free
    return {"deviation": float(smooth.std()), "rms": float(np.sqrt((off ** 2).mean())), "worst": float(abs(off).max())}


def elastic_fields(job, *_):
    """Deviation, and correlation over a distance of sigma, of fields that Albumentations draws."""
    from albumentations.augmentations.geometric import functional as F
    sigma, side = job["sigma"], job["side"]
    margin = int(4 * sigma)  # its edges move more
    squares, products = [], []
    rng = np.random.default_rng(1)
    for _ in range(job["fields"]):
        pair = F.generate_displacement_fields((side, side), job["alpha"], sigma, same_dxdy=False, kernel_size=(0, 0),
                                              random_generator=rng, noise_distribution=job["noise"])
        for field in pair:
            inner = field[margin:-margin, margin:-margin].astype(float)
            squares.append((inner ** 2).mean())
            products.append((inner[:, job["distance"]:] * inner[:, :-job["distance"]]).mean())
    return {"deviation": float(np.sqrt(np.mean(squares))), "correlation": float(np.mean(products) / np.mean(squares))}


def stain_file(job, image, _):
    """Writes statistics of the picture and of another one, by the plugin's own script. How far its stains lie from the
    true ones, and from those that Albumentations finds in the same pixels: the largest component. Of Albumentations'
    normalisers, Macenko's takes columns for eigenvectors that are rows, and is left out; Vahadane's may call haematoxylin
    eosin, so that the order is not compared."""
    here = os.path.dirname(os.path.abspath(__file__))
    spec = importlib.util.spec_from_file_location(
        "stain_statistics", os.path.join(here, "../../../plugins/augmentations/stain/stain_statistics.py"))
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    redder = np.clip(image * np.array([0.95, 0.85, 0.8]) + 5, 0, 255).astype(np.uint8)
    with open(os.path.join(job["folder"], job["file"]), "w") as f:
        json.dump({"slides": {"slide": script.statistics(image), "other": script.statistics(redder, "vahadane")}}, f)
    tissue = script.tissue(image)[None]
    true = script.unit(np.array(job["true"], float))
    found = {method: np.array(script.statistics(tissue, method)["stains"]) for method in ("macenko", "vahadane")}
    theirs = F_pixel.get_normalizer("vahadane")
    theirs.fit(tissue)
    peer = min(abs(found["vahadane"] - order).max() for order in
               (theirs.stain_matrix_target, theirs.stain_matrix_target[::-1]))
    return {"macenko": float(abs(found["macenko"] - true).max()), "vahadane": float(abs(found["vahadane"] - true).max()),
            "peer": float(peer)}
