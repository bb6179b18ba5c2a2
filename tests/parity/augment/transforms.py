"""What a job's image and mask go through: callables of image and mask that give both in a dict, as A.Compose does."""
import json
import os

import albumentations as A
import cv2
import numpy as np
from albumentations.augmentations.blur import functional as F_blur
from albumentations.augmentations.geometric import functional as F_geometric


def value(v, folder=""):
    """JSON's numbers and lists, as Albumentations wants them; {"array": [...], "shape": [...]}, {"file": name, ...}."""
    if isinstance(v, dict) and ("array" in v or "file" in v):
        kind = v.get("dtype", "float64")
        flat = np.fromfile(os.path.join(folder, v["file"]), kind) if "file" in v else np.array(v["array"], kind)
        return flat.reshape(v["shape"]) if "shape" in v else flat
    if isinstance(v, dict):
        return {key: value(x, folder) for key, x in v.items()}
    return tuple(value(x, folder) for x in v) if isinstance(v, list) else v


def fixed(t, params):
    """The transform, with these parameters in place of what it draws."""
    drawn, dependent = t.get_params, t.get_params_dependent_on_data
    t.get_params = lambda: drawn() | params
    t.get_params_dependent_on_data = lambda **given: dependent(**given) | params
    return t


def named(job):
    return getattr(A, job["class"])(**{"p": 1, **value(job.get("init", {}))})


def of_class(job, _):
    return A.Compose([fixed(named(job), value(job.get("params", {}), job["folder"]))])


def image_only(change):
    return lambda image, mask: {"image": change(image), "mask": mask}


def flip(job, _):
    return A.Compose([A.HorizontalFlip(p=float(job["horizontal"])), A.VerticalFlip(p=float(job["vertical"]))])


def affine(job, _):
    """Albumentations' own construction of the matrix from the drawn numbers."""
    return A.Compose([A.Affine(
        scale={"x": (job["sx"],) * 2, "y": (job["sy"],) * 2}, rotate=(job["angle"],) * 2,
        translate_px={"x": job["dx"], "y": job["dy"]}, border_mode=job["border"], p=1,
        shear={"x": (job.get("shear_x", 0.0),) * 2, "y": (job.get("shear_y", 0.0),) * 2})])


def matrix(job, _):
    return A.Compose([fixed(A.Affine(border_mode=job["border"], p=1),
                            {"matrix": np.array(job["matrix"] + [0, 0, 1], float).reshape(3, 3)})])


def blur(job, _):
    if "side" in job:  # as in 2021: a side and no deviation
        return image_only(lambda image: cv2.GaussianBlur(image, (job["side"],) * 2, 0))
    return A.Compose([fixed(A.GaussianBlur(p=1),
                            {"kernel": F_blur.create_gaussian_kernel_1d(job["sigma"], job["size"])})])


def unsharp(job, _):
    """What Sharpen(method="gaussian") means: its own difference of bytes wraps around where the blur is lighter."""
    def change(image):
        blurred = cv2.GaussianBlur(image.astype(np.float32), (job["side"],) * 2, job["sigma"])
        return np.rint(np.clip(image + job["alpha"] * (image - blurred), 0, 255)).astype(np.uint8)
    return image_only(change)


def motion_line(job, _):
    """MotionBlur of 2021: a line between two points."""
    kernel = np.zeros((job["side"],) * 2, np.uint8)
    cv2.line(kernel, tuple(job["from"]), tuple(job["to"]), 1, thickness=1)
    return A.Compose([fixed(A.MotionBlur(p=1), {"kernel": kernel.astype(np.float32) / kernel.sum()})])


# --- maps of the plane

def through_maps(t, maps):
    return A.Compose([fixed(t, {"map_x": maps[0].astype(np.float32), "map_y": maps[1].astype(np.float32)})])


def field_of(job, size):
    """A grid of displacements by linear interpolation: [2, height, width]."""
    nodes = np.array(job["grid"], float).reshape(job["down"], job["across"], 2)
    height, width = size
    at_x, at_y = np.arange(job["across"]) * job["spacing"], np.arange(job["down"]) * job["spacing"]
    rows = np.stack([[np.interp(np.arange(width), at_x, row) for row in nodes[..., c]] for c in range(2)])
    return np.stack([[np.interp(np.arange(height), at_y, column) for column in rows[c].T] for c in range(2)]
                    ).transpose(0, 2, 1)


def elastic(job, image):
    height, width = image.shape[:2]
    maps = np.stack(np.meshgrid(np.arange(width), np.arange(height))) + field_of(job, (height, width))
    return through_maps(A.ElasticTransform(border_mode=job["border"], p=1), maps)


def three_points(job, image):
    """The affine part of 2021's ElasticTransform, which moved three points about the middle."""
    height, width = image.shape[:2]
    centre, square = np.float32((width, height)) // 2, min(height, width) // 3
    three = np.float32([centre + square, [centre[0] + square, centre[1] - square], centre - square])
    moved = three + np.float32(job["moved"]).reshape(3, 2)
    return matrix({"matrix": cv2.getAffineTransform(three, moved).ravel().tolist(), "border": job["border"]}, image)


def grid_distortion(job, image):
    """`normalized`: today's default; without it, as in 2021, where the last cell ended at the picture's edge."""
    size, steps = image.shape[:2], job["steps"]
    xs, ys = list(job["xs"]), list(job["ys"])
    if job["normalized"]:
        scaled = F_geometric.normalize_grid_distortion_steps(size, steps, xs, ys)
        xs, ys = scaled["steps_x"], scaled["steps_y"]
    else:
        xs, ys = (ending_at_edge(extent, steps, factors) for extent, factors in ((size[1], xs), (size[0], ys)))
    maps = F_geometric.generate_grid(size, xs, ys, steps)
    return through_maps(A.GridDistortion(border_mode=job["border"], p=1), maps)


def ending_at_edge(extent, steps, factors):
    cell = extent // steps
    if extent % steps:
        factors[-1] = (extent - cell * sum(factors[:-1])) / cell
    return factors


def optical_distortion(job, image):
    """`shift` is of 2021's alone; without it, today's own maps."""
    height, width = image.shape[:2]
    if "shift" not in job:
        maps = F_geometric.get_camera_matrix_distortion_maps((height, width), job["k"])
    else:
        dx, dy = job["shift"]
        camera = np.array([[width, 0, width / 2 + dx], [0, height, height / 2 + dy], [0, 0, 1]], np.float32)
        maps = cv2.initUndistortRectifyMap(camera, np.array([job["k"], job["k"], 0, 0, 0], np.float32), None, None,
                                           (width, height), cv2.CV_32FC1)
    return through_maps(A.OpticalDistortion(border_mode=job["border"], p=1), maps)


def perspective(job, image):
    points = F_geometric.order_points(np.array(job["points"], float).reshape(4, 2))
    found, width, height = F_geometric.compute_perspective_params(points, image.shape[:2])
    return A.Compose([fixed(A.Perspective(border_mode=job["border"], p=1),
                            {"matrix": found, "max_width": width, "max_height": height})])


# --- stains

def stains(job, _):
    """Through scikit-image's stains, of which it cuts off negative ones."""
    from skimage.color import hed2rgb, rgb2hed

    def change(image):
        hed = rgb2hed(image) * job["scales"] + np.array(job["shifts"]) / -np.log(1e-6)
        return np.rint(hed2rgb(hed) * 255).astype(np.uint8)
    return image_only(change)


def densities(job, _):
    """The same, of stains of either sign, and with a white; 0 counts as 1/4."""
    from skimage.color import hed_from_rgb, rgb_from_hed
    white = np.array(job["white"], float)

    def change(image):
        hed = np.log(white / np.maximum(image, 0.25)) @ hed_from_rgb
        rgb = white * np.exp(-(hed * job["scales"] + job["shifts"]) @ rgb_from_hed)
        return np.rint(np.clip(rgb, 0, 255)).astype(np.uint8)
    return image_only(change)


def he_stain(job, _):
    t = A.HEStain(method="preset", preset=job["preset"], augment_background=True, p=1)
    return A.Compose([fixed(t, {"scale_factors": np.array(job["scales"]), "shift_values": np.array(job["shifts"])})])


def statistics_of(job, slide):
    with open(os.path.join(job["folder"], job["file"])) as f:
        return {key: np.array(v) for key, v in json.load(f)["slides"][slide].items()}


def stain_transfer(job, _):
    own, other, share = statistics_of(job, "slide"), statistics_of(job, "other"), job["share"]

    def change(image):
        amounts = np.log(255 / np.maximum(image.astype(float), 0.25)) @ np.linalg.pinv(own["stains"])
        amounts *= (other["strength"] / own["strength"]) ** share
        mixed = (1 - share) * own["stains"] + share * other["stains"]
        return np.rint(np.clip(255 * np.exp(-amounts @ mixed), 0, 255)).astype(np.uint8)
    return image_only(change)


def reinhard(job, _):
    own, other, share = statistics_of(job, "slide"), statistics_of(job, "other"), job["share"]
    factor = (other["lab_deviation"] / own["lab_deviation"]) ** share
    mean = own["lab_mean"] + share * (other["lab_mean"] - own["lab_mean"])

    def change(image):
        lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        lab = ((lab - own["lab_mean"]) * factor + mean).astype(np.float32)
        return np.rint(np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1) * 255).astype(np.uint8)
    return image_only(change)
