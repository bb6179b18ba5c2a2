"""A training of seconds: four small pictures in two folds, and what its weights are, for tests of whole commands."""
import json
import os
import struct

from slide_files import write_png

EXPERIMENT = """
name = "tiny"
classes = ["glomerulus"]
sampler = { type = "uniform" }
[data]
factor = 1
tile = 32
folds = { count = 2 }
[[dataset]]
type = "image_folder"
root = "data"
[model]
encoder = { type = "resnet18" }
decoder = { type = "unet" }
[loss]
terms = [ { type = "bce" } ]
[train]
epochs = 4
steps_per_epoch = 3
batch = 2
threads = 1
"""
STEPS = 12


def write_experiment(folder, text=EXPERIMENT):
    with open(f"{folder}/tiny.toml", "w") as f:
        f.write(text)


def write_training(folder, pictures=4):
    """tiny.toml, and the pictures and masks that it is trained with."""
    for name in ("data/images", "data/masks"):
        os.makedirs(os.path.join(folder, name))
    for i in range(1, pictures + 1):
        write_png(f"{folder}/data/images/s{i}.png", 64, 64, lambda x, y: (x * y + i) % 251)
        write_png(f"{folder}/data/masks/s{i}.png", 64, 64, lambda x, y: 255 if 10 < x < 40 else 0)
    write_experiment(folder)


def steps_of(run, fold):
    """Steps that the fold's log has, once each."""
    try:
        with open(f"{run}/fold-{fold}/metrics.jsonl") as f:
            return sum('"loss"' in line for line in f)
    except OSError:
        return 0


def tensors(run, fold):
    """The bytes of the last weights, without what a file says of itself."""
    with open(f"{run}/fold-{fold}/checkpoints/last/weights.safetensors", "rb") as f:
        (size,) = struct.unpack("<Q", f.read(8))
        header = json.loads(f.read(size))
        header.pop("__metadata__", None)
        return header, f.read()


def files_of_prediction(folder):
    """Names and bytes, but for what says which command made it, and for locks."""
    out = {}
    for path, _, names in os.walk(folder):
        for name in names:
            if name not in ("predict.json", ".lock"):
                with open(os.path.join(path, name), "rb") as f:
                    out[os.path.relpath(os.path.join(path, name), folder)] = f.read()
    return out
