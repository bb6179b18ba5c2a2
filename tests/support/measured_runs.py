"""Run folders with validations as nephron writes them, with made-up scores: what `nephron compare` reads."""
import hashlib
import json
import os
import random

RESOLVED = """name = "{name}"                                # exp.toml:1:8
seed = {seed}                                    # exp.toml:2:8
classes = [{classes}]                            # exp.toml:3:11

[data]
factor = 2                                       # base.toml:5:10

[model.decoder]
type = "{decoder}"                               # {name}.toml:8:12

[validation]
how = "slides"                                   # default

[predict]
tta = [{tta}]                                    # default
threshold = 0.5                                  # default
overlap = {overlap}                              # default
"""
MARK = "# A resolved experiment, as nephron wrote it; SHA-256 of what follows: "


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


class Cohort:
    """Slides of donors, with their own difficulty; what runs are measured on."""

    def __init__(self, donors=12, slides=2, classes=("glomerulus",), folds=2, known=True, seed=1, objects=6):
        rng = random.Random(seed)
        self.classes, self.folds = list(classes), folds
        self.slides = []
        for d in range(donors):
            easy = rng.gauss(0, .04)
            for s in range(slides):
                truth = [(c, rng.randrange(800), rng.randrange(800), rng.randrange(20, 90), rng.randrange(20, 90))
                         for c in self.classes for _ in range(objects)]
                self.slides.append({"id": f"slide-{d:02}-{s}", "donor": f"donor {d + 1}" if known else "", "fold": d % folds,
                                    "easy": easy + rng.gauss(0, .015), "truth": truth, "name": d})


def validation(cohort, gain, spread, shared, seed, detect):
    """Lines of slides.jsonl and objects.jsonl."""
    rng, slides, objects = random.Random(seed), [], []
    of_donor = {}
    for s in cohort.slides:
        own = of_donor.setdefault(s["name"], rng.gauss(0, spread))
        facts = {"slide": s["id"], "dataset": "made_up", "donor": s["donor"] or None, "fold": s["fold"]}
        for i, name in enumerate(cohort.classes):
            dice = min(.999, max(0., .88 - .05 * i + s["easy"] + gain + shared + own + rng.gauss(0, spread / 2)))
            slides.append({**facts, "class": name, "width": 1000, "height": 900, "mpp": .5, "picture_sha256": sha("p" + s["id"]),
                           "truth_sha256": sha("t" + s["id"]), "threshold": .5, "dice": dice, "iou": dice / (2 - dice),
                           "hd95": 40 * (1 - dice) + rng.random()})
        for n, (name, x, y, w, h) in enumerate(s["truth"]):
            found = rng.random() < detect
            iou = rng.uniform(.55, .95) if found else rng.choice([0., rng.uniform(0, .45)])
            box = {"x": x, "y": y, "width": w, "height": h, "centroid_x": x + w / 2, "centroid_y": y + h / 2, "area_px": w * h * 3 // 4}
            objects.append({**facts, "side": "true", "object": n, "class": name, **box, "confidence": None, "iou": iou,
                            "other": 0 if iou else None, "other_class": name if iou else None})
        for n in range(rng.randrange(3)):
            x, y = rng.randrange(800), rng.randrange(800)
            box = {"x": x, "y": y, "width": 30, "height": 25, "centroid_x": x, "centroid_y": y, "area_px": 500}
            objects.append({**facts, "side": "found", "object": n, "class": cohort.classes[0], **box, "confidence": .7, "iou": 0.,
                            "other": None, "other_class": None})
    return slides, objects


def keep_measures(folder, cohort, slides):
    """Pixels of prediction, truth and both, a class each; the rows get the Dice of just these."""
    kept = {}
    for row in slides:
        both = round(row["dice"] * 1000 * (1 + len(row["slide"]) + int(row["slide"][-4:-2])))  # slides of very different sizes
        counts = [round(both / row["dice"]), round(both / row["dice"]) + 1, both]
        row["dice"] = 2 * both / (counts[0] + counts[1])
        kept.setdefault(row["slide"], []).extend(counts)
    for slide, numbers in kept.items():
        write(f"{folder}/validation/measures/{slide}.json", json.dumps({"metrics": {"dice": {"values": [], "numbers": numbers}}}))


def run(folder, cohort, name="unet", seed=1, gain=0., spread=.01, shared=0., detect=.8, decoder="unet", tta=("identity",),
        overlap=1.5, seconds=3600, dataset_name="made_up", measures=False):
    """Writes a run with its validation; gives back the folder. `measures`: what is kept of each slide's Dice, too."""
    quoted = lambda words: ", ".join(f'"{w}"' for w in words)  # noqa: E731
    body = RESOLVED.format(name=name, seed=seed, classes=quoted(cohort.classes), decoder=decoder, tta=quoted(tta), overlap=overlap)
    write(f"{folder}/experiment.resolved.toml", MARK + sha(body) + "\n" + body)
    write(f"{folder}/environment.json", json.dumps({"started": "2026-01-31T12:00:00+0000", "device": "cuda:0", "host": "workstation",
                                                    "cpu": "AMD EPYC", "folds": list(range(cohort.folds)),
                                                    "sessions": [{"started": "2026-01-31T12:00:00+0000"}]}))
    slide = lambda s: {"id": s["id"], "dataset": dataset_name, "donor": s["donor"], "source": s["id"] + ".tiff", "reduction": 2,  # noqa: E731
                       "picture": sha("p" + s["id"]), "labels": sha("t" + s["id"])}
    write(f"{folder}/splits.json", json.dumps({"count": cohort.folds, "by": "donor", "slides": [
        {"id": s["id"], "dataset": dataset_name, "donor": s["donor"], "fold": s["fold"]} for s in cohort.slides]}))
    for k in range(cohort.folds):
        write(f"{folder}/fold-{k}/slides.json", json.dumps({"trained_on": [slide(s) for s in cohort.slides if s["fold"] != k],
                                                            "held_out": [slide(s) for s in cohort.slides if s["fold"] == k]}))
        write(f"{folder}/fold-{k}/done.json", json.dumps({"fold": k, "steps": 100, "seconds": seconds / cohort.folds,
                                                          "peak_rss_mb": 2100.5}))
    slides, objects = validation(cohort, gain, spread, shared, f"{name}{seed}", detect)
    for row in slides + objects:
        row["dataset"] = dataset_name
    if measures:
        keep_measures(folder, cohort, slides)
    values = [{"metric": m, "name": n, "class": c, "better": b, "value": None, "pooled_over": "pixels", "slides": len(cohort.slides)}
              for m, n, b in (("dice", "dice", "higher"), ("iou", "iou", "higher"), ("boundary", "hd95", "lower"))
              for c in cohort.classes]
    measured = [{"metric": m, "plugin": m, "version": "1.0.0", "parameters": "{}"} for m in ("dice", "iou", "boundary")]
    scores = {"run": folder, "folds": list(range(cohort.folds)), "checkpoint": "best", "precision": "fp32", "tta": list(tta),
              "classes": cohort.classes, "exclusive": False, "complete": True, "thresholds": {c: .5 for c in cohort.classes},
              "threshold_from": "experiment", "objects": {"least_area": 1, "fill_holes": 0}, "measured_by": measured,
              "metrics": ["dice", "iou", "boundary"], "dice_by_threshold": {}, "values": values, "slides": [], "failures": {}}
    write(f"{folder}/validation/scores.json", json.dumps(scores, indent=2))
    write(f"{folder}/validation/slides.jsonl", lines(slides))
    write(f"{folder}/validation/objects.jsonl", lines(objects))
    return folder
