"""A run with a validation as nephron writes them, of made-up slides: discs that were found, missed, or invented."""
import hashlib
import json
import math
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../view"))
import viewed  # noqa: E402

CLASS = "glomerulus <i>x & \"y\""
FOLDER = "glomerulus__i_x____y_"  # of its files
SLIDES = ("first", "<img src=x onerror=alert(1)>")
WIDTH, HEIGHT, FACTOR = 1200, 900, 2
TRUTH = [(200, 200, 80), (600, 300, 60), (950, 250, 90), (300, 650, 70), (800, 650, 100)]
FOUND = [((208, 204, 78), 0.97), ((600, 330, 60), 0.81), ((960, 250, 60), 0.66), ((600, 780, 40), 0.93)]
PAIRS = {0: 0, 1: 1, 2: 2}  # found -> true; 3 is invented, true 3 and 4 are missed


def overlap(one, other):
    """IoU of two discs, by their pixels at the level."""
    def pixels(disc):
        return {(x, y) for y, spans in enumerate(viewed.disc_rows([tuple(v // FACTOR for v in disc)], WIDTH // FACTOR,
                                                                  HEIGHT // FACTOR)) for a, b in spans for x in range(a, b)}
    a, b = pixels(one), pixels(other)
    return len(a & b) / len(a | b)


def line(slide, side, number, disc, confidence, iou, other):
    x, y, r = (v / FACTOR for v in disc)
    area = math.pi * r * r
    return {"slide": slide, "dataset": "made-up", "fold": 0, "side": side, "object": number, "class": CLASS,
            "x": int(x - r), "y": int(y - r), "width": int(2 * r + 1), "height": int(2 * r + 1), "centroid_x": x,
            "centroid_y": y, "area_px": round(area), "area_um2": area, "diameter_um": 2 * r, "confidence": confidence,
            "mean_probability": confidence, "centre_hits": other is not None, "iou": iou, "other": other,
            "other_class": None if other is None else CLASS}


def write_lines(path, lines):
    with open(path, "w") as out:
        out.writelines(json.dumps(one) + "\n" for one in lines)


def write_json(path, value):
    with open(path, "w") as out:
        json.dump(value, out)


def write_validation(folder, masks=True):
    """What nephron validate leaves in RUN/validation."""
    os.makedirs(folder)
    slides, objects = [], []
    for n, slide in enumerate(SLIDES):
        slides.append({"slide": slide, "dataset": "made-up", "fold": 0, "class": CLASS, "width": WIDTH // FACTOR,
                       "height": HEIGHT // FACTOR, "mpp": 1.0, "picture_sha256": None, "truth_sha256": None,
                       "threshold": 0.5, "dice": 0.9 - 0.2 * n, "ece": None if n else 0.0125})
        of_truth = {t: f for f, t in PAIRS.items()}
        for f, (disc, confidence) in enumerate(FOUND):
            t = PAIRS.get(f)
            objects.append(line(slide, "found", f, disc, confidence, 0 if t is None else overlap(disc, TRUTH[t]), t))
        for t, disc in enumerate(TRUTH):
            f = of_truth.get(t)
            objects.append(line(slide, "true", t, disc, None, 0 if f is None else overlap(FOUND[f][0], disc), f))
        if masks:
            discs = [tuple(v // FACTOR for v in disc) for disc, _ in FOUND]
            viewed.write_png(f"{folder}/masks/{FOLDER}/{slide}.png", WIDTH // FACTOR,
                             viewed.grey(discs, 255, WIDTH // FACTOR, HEIGHT // FACTOR), 1)
    write_lines(f"{folder}/slides.jsonl", slides)
    write_lines(f"{folder}/objects.jsonl", objects)
    thresholds = [0.2 + 0.05 * i for i in range(11)]
    curves = [[0.9 - 0.2 * n - 2 * (t - 0.45) ** 2 for t in thresholds] for n in range(2)]

    def spread(mean):
        return {"mean": mean, "deviation": 0.1}

    def value(metric, name, of):
        return {"metric": metric, "name": name, "class": CLASS, "value": of, "pooled_over": "pixels", "slides": 2,
                "mean": of, "deviation": 0.01}
    write_json(f"{folder}/scores.json", {
        "run": "made-up", "folds": [0], "checkpoint": "best", "precision": "fp32", "tta": ["identity"],
        "classes": [CLASS], "exclusive": False, "complete": True, "thresholds": {CLASS: 0.5},
        "metrics": ["dice", "calibration", "confusion"],
        "dice_by_threshold": {CLASS: {
            "slides": 2, "thresholds": thresholds, "mean_dice": [sum(c) / 2 for c in zip(*curves)], "best_threshold": 0.45,
            "at_best_threshold": spread(0.8123), "at_each_slides_best": spread(0.8234), "at_0.5": spread(0.8),
            "at_other_folds_best": {**spread(0.8051), "thresholds": {"0": 0.45, "1": 0.5}},
            "curves": curves}},
        "values": [value("dice", "dice", 0.8111), value("calibration", "ece", 0.0125),
                   value("confusion", "as_glomerulus__i_x____y_", 0.6), value("confusion", "as_nothing", 0.4)],
        "curves": [{"metric": "calibration", "name": "reliability", "class": CLASS, "x": "probability", "y": "share",
                    "points": [[0.1, 0.05], [0.5, 0.6], [0.95, 0.9]]}],
        "slides": [], "failures": {"third": "is damaged & <b>lost</b>"}})


BASE = """classes = %s
sampler = { type = "uniform" }
[data]
factor = %d
tile = 64
folds = { count = 2 }
[model]
encoder = { type = "resnet18" }
decoder = { type = "unet" }
[loss]
terms = [{ type = "bce" }]
[train]
epochs = 3
"""
LEAF = """extends = "base.toml"
name = "made-up"
[[dataset]]
name = "made-up"
type = "image_folder"
root = "%s"
mpp = 0.5
[train]
epochs = 5
"""


def write_fold(folder, fold, best):
    os.makedirs(f"{folder}/fold-{fold}")
    lines = [{"step": s, "loss": 0.7 / s, "lr": 0.001} for s in range(1, 9)]
    lines += [{"step": 2 * (e + 1), "epoch": e, "val_loss": 0.6 / (e + 1), "dice": best - 0.2 / (e + 1)} for e in range(4)]
    write_lines(f"{folder}/fold-{fold}/metrics.jsonl", lines)
    write_json(f"{folder}/fold-{fold}/done.json", {"fold": fold, "steps": 8, "best_dice": best, "seconds": 61})


def write_data(folder):
    """Slides with truth, and the experiment that names them."""
    for slide in SLIDES:
        viewed.write_slide(f"{folder}/data/images/{slide}.png", WIDTH, HEIGHT, TRUTH)
        viewed.write_png(f"{folder}/data/masks/{slide}.png", WIDTH, viewed.grey(TRUTH, 255, WIDTH, HEIGHT), 1)
    write_experiment(folder, LEAF % f"{folder}/data")


def write_experiment(folder, leaf):
    with open(f"{folder}/base.toml", "w") as out:
        out.write(BASE % (json.dumps([CLASS]), FACTOR))
    with open(f"{folder}/leaf.toml", "w") as out:
        out.write(leaf)


def make(folder, program, run="runs/made-up/20260101-000000-abcdef", validated=True, masks=True):
    """Slides with truth, an experiment, its run. Gives back the run's folder."""
    write_data(folder)
    where = f"{folder}/{run}"
    os.makedirs(where)
    shown = subprocess.run([program, "config", "show", f"{folder}/leaf.toml"], capture_output=True, check=True).stdout
    with open(f"{where}/experiment.resolved.toml", "wb") as out:
        out.write(b"# A resolved experiment, as nephron wrote it; SHA-256 of what follows: " +
                  hashlib.sha256(shown).hexdigest().encode() + b"\n" + shown)
    write_json(f"{where}/environment.json", {"experiment": f"{folder}/leaf.toml", "device": "cpu", "host": "<here>",
                                             "started": "2026-01-01 00:00:00", "folds": [0, 1]})
    for fold, best in ((0, 0.85), (1, 0.75)):
        write_fold(where, fold, best)
    if validated:
        write_validation(f"{where}/validation", masks)
    return where
