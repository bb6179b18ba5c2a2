"""Folders of runs as a training leaves them, for tests and benchmarks of what reads them."""
import hashlib
import json
import os
import socket

TAIL = """
[train]
epochs = {epochs}                              # made.toml:40:1
steps_per_epoch = 312                    # default
batch = {batch}                                # made.toml:41:1
precision = "{precision}"                       # made.toml:42:1
deterministic = false                    # default

[train.optimizer]
type = "{optimizer}"                            # made.toml:44:1
lr = {lr}                                 # made.toml:45:1
weight_decay = 0.0                       # default

[train.schedule]
type = "linear"                          # default
warmup = 0.05                            # default

[model]
in_channels = 3                          # default
weights = ""                             # default

[model.encoder]
type = "{encoder}"                      # made.toml:50:1
weights = ""                             # default

[model.decoder]
type = "unet"                            # made.toml:51:1

[[dataset]]
type = "image_folder"                    # made.toml:60:1
root = "/data/images"                    # made.toml:61:1
share = 1.0                              # default
"""


def resolved(name, keys=100, **values):
    """An experiment.resolved.toml of about so many keys."""
    known = {"epochs": 40, "batch": 16, "precision": "fp32", "optimizer": "adam", "lr": 0.001, "encoder": "resnet34"}
    known.update(values)
    head = [f'name = "{name}"  # made.toml:1:1', f"seed = {values.get('seed', 42)}  # made.toml:2:1",
            'classes = ["glomerulus"]  # made.toml:3:1', "", "[data]", "factor = 2  # default", "tile = 512  # default"]
    filler = max(0, keys - 25)
    head += [f"knob_{i:03d} = {i * 0.5}  # default" for i in range(filler)]
    body = "\n".join(head) + "\n" + TAIL.format(**known)
    return "# sha256 " + hashlib.sha256(body.encode()).hexdigest() + "\n" + body


def environment(started="2026-01-31T12:00:00+0100", folds=(0,), user="anna", host=None, sessions=1, **more):
    host = host or socket.gethostname()
    session = {"started": started, "host": host, "pid": 1, "device": "cpu", "nephron": "0.2.0", "commit": "c0ffee1234"}
    return {"started": started, "command": ["nephron", "train"], "experiment": "/exp/made.toml", "commit": "abc1234def",
            "seed": 42, "folds": list(folds), "device": "cpu", "host": host, "user": user, "cpu": "some", "cores": 2,
            "versions": {"nephron": "0.2.0", "commit": "c0ffee1234", "torch": "2.11.0", "compiler": "g++"},
            "plugins": [{"plugin": "resnet", "version": "1.0", "file": "/plugins/resnet.so", "sha256": "ab" * 32,
                         "components": ["encoder resnet34"]}],
            "sessions": [session] * sessions, **more}


def metrics(steps, dice, every=10):
    lines = [json.dumps({"step": s + 1, "epoch": s // every, "loss": 1 / (s + 1), "lr": 1e-3, "tiles_per_s": 20.0,
                         "waited": 0.01}) for s in range(steps)]
    lines.append(json.dumps({"step": steps, "epoch": (steps - 1) // every, "train_loss": 0.2, "val_loss": 0.25,
                             "dice": dice, "dice_glomerulus": dice, "seconds": 12.5, "peak_rss_mb": 900.0}))
    return "\n".join(lines) + "\n"


def done(fold, dice, epochs=40):
    return {"fold": fold, "steps": 12480, "epochs": epochs, "best_dice": dice, "best_epoch": 30, "best_step": 9360,
            "last_dice": dice - 0.01, "last_val_loss": 0.2, "average_dice": -1,
            "dice_by_class": {"glomerulus": {"best": dice, "last": dice - 0.01}}, "validated_on": "slides",
            "seconds": 3600.0, "tiles_per_s": 21.5, "waited": 0.01, "peak_rss_mb": 1000.0}


def slides(trained_on, held_out):
    entry = lambda name: {"id": name, "dataset": "images", "donor": "", "source": f"/data/images/{name}.png"}
    return {"trained_on": [entry(n) for n in trained_on], "held_out": [entry(n) for n in held_out]}


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(content if isinstance(content, str) else json.dumps(content, indent=2) + "\n")


def make_run(root, name="unet", number=1, dice=0.9, finished=True, folds=(0,), keys=100, lock=True, steps=20,
             started=None, env=None, **values):
    """A run in ROOT/NAME; its id is `number` in hexadecimal. Gives back its folder."""
    day = 1 + number // 86400 % 28
    clock = number % 86400
    started = started or f"2026-01-{day:02d}T{clock // 3600:02d}:{clock // 60 % 60:02d}:{clock % 60:02d}+0100"
    stamp = started[:19].replace("-", "").replace(":", "").replace("T", "-")
    run = os.path.join(root, name, f"{stamp}-{number:06x}")
    for fold in folds:
        folder = os.path.join(run, f"fold-{fold}")
        write(f"{folder}/metrics.jsonl", metrics(steps, dice))
        write(f"{folder}/slides.json", slides(["one", "two"], ["three"]))
        if finished:
            write(f"{folder}/done.json", done(fold, dice))
    write(f"{run}/environment.json", {**environment(started=started, folds=folds), **(env or {})})
    if lock:
        write(f"{run}/.lock", f"process 1 on {socket.gethostname()}\n")
    write(f"{run}/log.txt", "")
    write(f"{run}/experiment.resolved.toml", resolved(name, keys, **values))
    return run
