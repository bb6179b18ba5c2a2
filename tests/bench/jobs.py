"""The jobs of start.toml and aidpath.toml, for either side; prints one line of JSON.

Both sides train on the tiles that a fold of 6 leaves (by index), and are measured from outside by the same code.
"""
import argparse
import glob
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
EXPERIMENT = os.path.join(HERE, "..", "..", "experiments", "aidpath", "unet-lite0.toml")
FOLDS = 6
SEARCHED = [0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7]  # by --threshold search

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("job", choices=["start", "aidpath"])
p.add_argument("--nephron", help="run ours with this program")
p.add_argument("--peers", help="run the peer of this folder")
p.add_argument("--data", required=True)
p.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
p.add_argument("--variant", default="reference", choices=["reference", "tuned"])
p.add_argument("--size", default="short", choices=["short", "full"])
p.add_argument("--seed", type=int, default=42)
p.add_argument("--fold", type=int, default=0, choices=range(FOLDS))
p.add_argument("--experiment", default=EXPERIMENT, help="of ours")
p.add_argument("--steps", type=int, help="in place of those of the size")
a = p.parse_args()
STEPS = a.steps or (600 if a.size == "full" else 25)


def fail(message):
    sys.exit("jobs.py: " + message)


def run(command, environment=None):
    command = list(map(str, command))
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(environment or {})})
    if done.returncode != 0:
        fail(f"{' '.join(command)} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-1500:]}")
    return done.stdout + done.stderr


def split(folder):
    """Training and held-out tiles as folders of links."""
    for i, image in enumerate(sorted(glob.glob(os.path.join(a.data, "images", "*.png")))):
        part = os.path.join(folder, "test" if i % FOLDS == a.fold else "train")
        for kind in ("images", "masks"):
            os.makedirs(os.path.join(part, kind), exist_ok=True)
            os.symlink(os.path.realpath(os.path.join(a.data, kind, os.path.basename(image))),
                       os.path.join(part, kind, os.path.basename(image)))
    return os.path.join(folder, "train"), os.path.join(folder, "test")


def only(pattern):
    found = glob.glob(pattern, recursive=True)
    if len(found) != 1:
        fail(f"expected one {pattern}, found {len(found)}")
    return found[0]


def train_ours(folder, epochs, steps):
    run([a.nephron, "train", a.experiment, "--fold", a.fold, "--runs", folder, "--device", "cpu",
         "--set", f"train.epochs={epochs}", "--set", f"train.steps_per_epoch={steps}", "--set", f"seed={a.seed}",
         "--set", f"train.precision={a.precision}"], {"AIDPATH_TILES": a.data})
    with open(only(os.path.join(folder, "**", "metrics.jsonl"))) as lines:
        return [json.loads(line) for line in lines]


def start_ours(folder):
    return {"seconds": next(line["start_s"] for line in train_ours(folder, 1, 1) if "start_s" in line)}


def start_peer(folder):
    train, test = split(folder)
    command = [sys.executable, "-u", os.path.join(a.peers, "train_smp.py"), "--train", train, "--test", test, "--steps", "1"]
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    seconds = None
    for line in child.stdout:
        if line.startswith("trained 1 steps"):
            seconds = time.perf_counter() - start
            child.kill()  # what follows is evaluation
    child.wait()
    if seconds is None:
        fail("the peer did not train")
    return {"seconds": seconds}


def aidpath_ours(folder):
    runs = os.path.join(folder, "runs")
    epochs = max(1, STEPS // 100)
    began = time.perf_counter()
    lines = [line for line in train_ours(runs, epochs, STEPS // epochs) if "tiles_per_s" in line]
    wall = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    steady = [line for line in lines if "start_s" not in line]  # the first step holds the start
    seconds = sum(8 / line["tiles_per_s"] for line in steady if line["tiles_per_s"] > 0)
    waited = sum(line["waited"] * 8 / line["tiles_per_s"] for line in steady if line["tiles_per_s"] > 0)
    run_folder = os.path.dirname(os.path.dirname(only(os.path.join(runs, "**", "metrics.jsonl"))))
    _, test = split(folder)

    def curves(checkpoint):
        """Dice of each tile at each of the searched thresholds."""
        out = os.path.join(folder, checkpoint)
        run([a.nephron, "predict", run_folder, "--images", os.path.join(test, "images"),
             "--masks", os.path.join(test, "masks"), "--out", out, "--whole",
             "--checkpoint", checkpoint, "--threshold", "search", "--device", "cpu",
             "--tta", "identity,flip_x,flip_y,flip_xy"], {"AIDPATH_TILES": a.data})
        with open(os.path.join(out, "scores.json")) as file:
            return [curve for picture in json.load(file)["pictures"].values()
                    for curve in picture["dice_by_threshold"].values()]

    # The peer keeps its last weights. The best epoch was chosen by these very tiles, so it is told, but not compared.
    checkpoints = {"": "last", "_best": "best"}
    if glob.glob(os.path.join(runs, "**", "average*.safetensors"), recursive=True):
        checkpoints["_average"] = "average"
    result = {"steps_per_s": len(steady) / seconds, "waited": waited / seconds, "peak_rss_mb": peak, "wall_s": wall}
    for suffix, checkpoint in checkpoints.items():
        found = curves(checkpoint)
        result["dice" + suffix] = statistics.mean(curve[SEARCHED.index(0.5)] for curve in found)
        result["curves" + suffix] = found
    return result


def aidpath_peer(folder):
    train, test = split(folder)
    program = [os.path.join(a.peers, "train_smp.py")]
    if a.variant == "tuned" and a.precision == "fp32":
        program.insert(0, os.path.join(HERE, "fp32.py"))
    text = run([sys.executable, *program, "--train", train, "--test", test, "--steps", STEPS, "--variant", a.variant,
                "--seed", a.seed])
    steps, seconds, waited = map(float, re.search(r"trained (\d+) steps in ([\d.]+) s, waited ([\d.]+) s", text).groups())
    return {"steps_per_s": steps / seconds, "waited": waited / seconds,
            "peak_rss_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
            "dice": float(re.search(r"mean dice ([\d.]+)", text).group(1))}


if bool(a.nephron) == bool(a.peers):
    fail("give one of --nephron and --peers")
with tempfile.TemporaryDirectory() as scratch:
    result = globals()[a.job + ("_ours" if a.nephron else "_peer")](scratch)
print(json.dumps({"job": a.job, **result, "precision": a.precision, "size": a.size}))
