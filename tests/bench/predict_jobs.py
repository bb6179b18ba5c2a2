"""The jobs of predict.toml: a slide file to run lengths, with weights that both sides share. Prints one line of JSON.

The first call of a case makes what it needs in --work: a synthetic slide, a network of ours after sixty steps, and its
weights under the names of bench_infer.py. `ours` is the whole command, its start included; the peer's seconds are what
it says, its start and its compiling left out.
"""
import argparse
import fcntl
import glob
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("side", choices=["ours", "tuned", "reference", "agree"])
p.add_argument("--nephron", required=True)
p.add_argument("--peers", required=True)
p.add_argument("--encoder", required=True)
p.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
p.add_argument("--size", choices=["short", "full"], default="short")
p.add_argument("--work", default=os.path.join(tempfile.gettempdir(), "nephron-bench-predict"))
a = p.parse_args()
SIDE = 8000 if a.size == "full" else 3000
FACTOR, TILE = 2, 512
FLIPS = "identity,flip_x,flip_y,flip_xy"

EXPERIMENT = """
name = "{name}"
classes = ["a", "b"]
[data]
factor = 2
tile = 128
folds = {{ count = 2, by = "index" }}
[[dataset]]
type = "synthetic"
slides = 2
size = [1536, 1536]
[sampler]
type = "guided"
[model]
encoder = {{ type = "{encoder}" }}
[model.decoder]
type = "unet"
[loss]
terms = [{{ type = "bce" }}]
[train]
epochs = 1
steps_per_epoch = 60
batch = 4
"""


def run(*command):
    command = list(map(str, command))
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-1500:]}")
    return done.stdout


def made(name, make):
    """What `make` leaves under this name in the work folder; one process makes it, others wait."""
    os.makedirs(a.work, exist_ok=True)
    path = os.path.join(a.work, name)
    with open(path + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(path + ".done"):
            make(path)
            open(path + ".done", "w").close()
    return path


def slide():
    def make(path):
        run(sys.executable, os.path.join(a.peers, "make_slide.py"), "--width", SIDE, "--height", SIDE, "--out", path, "--id", "s")
    return glob.glob(made(f"slide-{SIDE}", make) + "/train/*.tiff")[0]


def network():
    """The run's folder, and its weights for the peer."""
    def make(path):
        from safetensors.torch import load_file, save_file
        os.makedirs(path)
        file = os.path.join(path, "experiment.toml")
        with open(file, "w") as out:
            out.write(EXPERIMENT.format(name=a.encoder, encoder=a.encoder))
        run(a.nephron, "train", file, "--fold", 0, "--device", "cpu", "--runs", os.path.join(path, "runs"))
        run(a.nephron, "export", os.path.join(path, "runs", a.encoder), "--checkpoint", "last", "--out",
            os.path.join(path, "export"), "--no-torchscript")
        weights = load_file(os.path.join(path, "export", "model.safetensors"))
        save_file({"model." + name: tensor for name, tensor in weights.items()}, os.path.join(path, "peer.safetensors"))
    path = made("network-" + a.encoder, make)
    return os.path.join(path, "runs", a.encoder), os.path.join(path, "peer.safetensors")


def ours(out, save, *more):
    weights, _ = network()
    file = slide()
    with open(file, "rb") as source:
        while source.read(1 << 24):
            pass  # the peer reads a warm file, too
    start = time.perf_counter()
    run(a.nephron, "predict", weights, "--slides", file, "--save", save, "--out", out, "--checkpoint", "last", "--device",
        "cpu", "--precision", a.precision, "--tta", FLIPS, "--threshold", 0.5, "--tile", TILE, "--batch", 8, *more)
    return time.perf_counter() - start


def peer(variant, *more):
    _, weights = network()
    said = run(sys.executable, os.path.join(a.peers, "bench_infer.py"), "--slide", slide(), "--encoder", a.encoder, "--weights",
               weights, "--variant", variant, "--tile", TILE, "--factor", FACTOR, "--tta", "--batch", 8, *more)
    return json.loads(said.splitlines()[-1])


def read_map(folder):
    """Our map of the first class, 0 to 1."""
    file = glob.glob(os.path.join(folder, "probabilities", "a", "*"))[0]
    import tifffile
    if file.endswith((".tif", ".tiff")):
        found = tifffile.imread(file)
    else:
        import cv2
        found = cv2.imread(file, cv2.IMREAD_UNCHANGED)
    return found.astype(np.float32) / 255 if found.dtype == np.uint8 else found.astype(np.float32)


def agree():
    """How far our map is from the reference's: tiles joined as in 2021, by its half precision and repeated tiles."""
    with tempfile.TemporaryDirectory() as folder:
        ours(os.path.join(folder, "out"), "maps", "--compat", "reference")
        theirs = os.path.join(folder, "peer.npy")
        peer("reference", "--out", theirs)
        found, expected = read_map(os.path.join(folder, "out")), np.load(theirs).astype(np.float32)
    if found.shape != expected.shape:  # ours is as large as the slide: theirs is enlarged as its mask is
        import torch
        enlarged = torch.nn.functional.interpolate(torch.from_numpy(expected)[None, None], found.shape, mode="bilinear")
        expected = enlarged[0, 0].numpy()
    difference = np.abs(found - expected)
    one, other = found > .5, expected > .5
    return dict(share=float(other.mean()), dice=float((2 * (one & other).sum() + 1e-8) / (one.sum() + other.sum() + 1e-8)),
                mean_difference=float(difference.mean()), max_difference=float(difference.max()))


if a.side == "ours":
    with tempfile.TemporaryDirectory() as folder:
        seconds = ours(os.path.join(folder, "out"), "rle")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(json.dumps(dict(job="predict", variant="nephron", seconds=seconds, peak_job_rss_mb=peak, encoder=a.encoder)))
elif a.side == "agree":
    print(json.dumps(dict(job="predict", variant="agree", encoder=a.encoder, **agree())))
else:
    print(json.dumps(peer(a.side, *(["--dtype", a.precision] if a.side == "tuned" else []))))
