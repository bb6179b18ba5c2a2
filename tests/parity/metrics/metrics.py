"""Slides with blobs, and what the libraries that people use say of them: one tensor a slide and value, a number a class."""
import contextlib
import io
import sys

import numpy as np
import torch
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from safetensors.torch import save_file
from scipy import ndimage
from surface_distance import (compute_average_surface_distance, compute_robust_hausdorff, compute_surface_dice_at_tolerance,
                              compute_surface_distances)
from torchmetrics.functional.classification import (binary_average_precision, binary_calibration_error, binary_f1_score,
                                                    binary_jaccard_index, binary_precision, binary_recall)
from torchmetrics.functional.detection import panoptic_quality

CLASSES, MPP, TAUS = 2, .5, (1., 5.)
rng = np.random.default_rng(11)
out = {}


def blobs(shape, sigma, share):
    field = ndimage.gaussian_filter(rng.normal(size=shape), sigma)
    return field > np.quantile(field, 1 - share)


def slide(shape):
    """Probabilities (float), truth and ignored pixels."""
    truth = np.stack([blobs(shape, 4, .2) for _ in range(CLASSES)])
    soft = np.stack([ndimage.gaussian_filter(t.astype(float), 2.5) + .35 * ndimage.gaussian_filter(rng.normal(size=shape), 5) / .05
                     * .2 for t in truth])
    probability = (1 / (1 + np.exp(-6 * (soft + .02 * rng.normal(size=truth.shape) - .5)))).astype(np.float32)
    return probability, truth, blobs(shape, 6, .1)


def parts(mask):
    labels, n = ndimage.label(mask, np.ones((3, 3)))
    return [labels == i + 1 for i in range(n)]


def numbers(values):
    return torch.tensor([float(v) for v in values], dtype=torch.float64)


def of_pixels(probability, truth):
    """Of the pixels that count, a value a class."""
    p = [torch.from_numpy(v) for v in probability]
    t = [torch.from_numpy(v.astype(np.int64)) for v in truth]
    each = lambda f, **k: numbers(f(a, b, **k) for a, b in zip(p, t))
    return {"dice": each(binary_f1_score), "iou": each(binary_jaccard_index), "precision": each(binary_precision),
            "recall": each(binary_recall), "auprc": each(binary_average_precision),
            "ece": each(binary_calibration_error, n_bins=15, norm="l1"),
            "mce": each(binary_calibration_error, n_bins=15, norm="max"),
            "brier": numbers(((a.double() - b) ** 2).mean() for a, b in zip(p, t))}


def of_boundaries(found, truth):
    """One class: NSD at each tolerance, HD95, ASSD; the last with lengths, for the pool."""
    d = compute_surface_distances(truth, found, (MPP, MPP))
    there, back = d["distances_gt_to_pred"], d["distances_pred_to_gt"]
    a, b = d["surfel_areas_gt"], d["surfel_areas_pred"]
    return ([compute_surface_dice_at_tolerance(d, tau) for tau in TAUS], compute_robust_hausdorff(d, 95),
            ((there * a).sum() + (back * b).sum()) / (a.sum() + b.sum()))


def of_centres(found, truth, found_mask, truth_mask):
    """The reference's rule: middles of boxes in the other mask."""
    def middle(part):
        y, x = ndimage.find_objects(part.astype(int))[0]
        return (y.start + y.stop) // 2, (x.start + x.stop) // 2
    hits, covered = sum(truth_mask[middle(f)] for f in found), sum(found_mask[middle(t)] for t in truth)
    return np.array([hits, len(found) - covered, len(truth) - hits], float)


def panoptic(found, truth, shape):
    maps = []
    for objects in (found, truth):
        m = np.ones((*shape, 2), np.int64)  # the second category is all that is background
        m[..., 1] = 0
        for i, part in enumerate(objects):
            m[part] = (0, i + 1)
        maps.append(torch.from_numpy(m)[None])
    return panoptic_quality(*maps, things={0}, stuffs={1}, return_sq_and_rq=True, return_per_class=True)[0]


def encoded(part):
    return coco_mask.encode(np.asfortranarray(part.astype(np.uint8)))


slides = [slide(shape) for shape in ((90, 120), (75, 64), (120, 101))]
pools, annotations, detections = [], [], []
centre_sums = np.zeros((CLASSES, 3))
for s, (probability, truth, ignored) in enumerate(slides):
    out.update({f"s{s}.probability": torch.from_numpy(probability), f"s{s}.truth": torch.from_numpy(truth.astype(np.uint8)),
                f"s{s}.ignored": torch.from_numpy(ignored.astype(np.uint8))})
    counts = ~ignored
    pools.append((probability[:, counts], truth[:, counts]))
    values = of_pixels(*pools[-1])
    predicted = (probability > .5) & counts
    real = truth & counts
    nsd, hd95, assd, pq = [], [], [], []
    for c in range(CLASSES):
        one = of_boundaries(predicted[c], real[c])
        nsd.append(one[0]), hd95.append(one[1]), assd.append(one[2])
        found_parts, true_parts = parts(predicted[c]), parts(real[c])
        pq.append(panoptic(found_parts, true_parts, counts.shape))
        centres = of_centres(found_parts, true_parts, predicted[c], real[c])
        centre_sums[c] += centres
        for part in true_parts:
            annotations.append({"id": len(annotations) + 1, "image_id": s, "category_id": c, "iscrowd": 0,
                                "area": int(part.sum()), "segmentation": encoded(part), "bbox": [0, 0, 1, 1]})
        for part in found_parts:
            detections.append({"image_id": s, "category_id": c, "segmentation": encoded(part),
                               "score": float(probability[c][part].max())})
    for i, tau in enumerate(TAUS):
        values[f"nsd@{tau:g}um"] = numbers(n[i] for n in nsd)
    values.update({"hd95": numbers(hd95), "assd": numbers(assd)})
    for i, name in enumerate(("pq", "sq", "rq")):
        values[name] = numbers(v[i] for v in pq)
    out.update({f"s{s}.{name}": value for name, value in values.items()})

scores = [d["score"] for d in detections]
assert len(set(scores)) == len(scores), "equal confidences are taken otherwise by COCO"
all_pixels = of_pixels(*(np.concatenate([p[i] for p in pools], axis=1) for i in range(2)))
out.update({f"pool.{name}": value for name, value in all_pixels.items()})
tp, fp, fn = centre_sums.T
out.update({"pool.centre_recall": numbers(tp / (tp + fn)), "pool.centre_precision": numbers(tp / (tp + fp)),
            "pool.centre_f1": numbers(2 * tp / (2 * tp + fp + fn)), "pool.centre_accuracy": numbers(tp / (tp + fp + fn))})

with contextlib.redirect_stdout(io.StringIO()):
    coco = COCO()
    coco.dataset = {"images": [{"id": s, "height": v[1].shape[1], "width": v[1].shape[2]} for s, v in enumerate(slides)],
                    "annotations": annotations, "categories": [{"id": c} for c in range(CLASSES)]}
    coco.createIndex()
    evaluation = COCOeval(coco, coco.loadRes(detections), "segm")
    evaluation.params.maxDets = [1, 10, 100000]
    evaluation.evaluate()
    evaluation.accumulate()
precision = evaluation.eval["precision"][:, :, :, 0, -1].mean(1)  # [IoU, class]
out.update({"pool.ap@0.5": numbers(precision[0]), "pool.ap@0.75": numbers(precision[5]),
            "pool.ap@0.5-0.95": numbers(precision.mean(0))})
save_file({k: v.contiguous() for k, v in out.items()}, sys.argv[1])
