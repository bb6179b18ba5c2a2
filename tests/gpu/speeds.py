"""The table of speeds: a training step beside the tuned Python step, what a whole training does, prediction."""
import json
import os
import re
import subprocess
import sys
import time

from program import expect, only_run

HERE = os.path.dirname(os.path.abspath(__file__))


def last_json(text):
    return json.loads([line for line in text.splitlines() if line.startswith("{")][-1])


def step(bench, name, precision, batch, tile, steps, *more):
    """What bench-train-step says of resnet34-Unet."""
    return last_json(bench.program.run(name, "bench-train-step", "--encoder", "resnet34", "--decoder", "unet", "--loss", "bce",
                                       "--batch", batch, "--tile", tile, "--classes", 2, "--precision", precision, "--steps",
                                       steps, "--warmup", 5, "--device", bench.device, *more))


def graph_pair(bench, precision, batch, tile, steps):
    """nephron's step from a CUDA graph and without, in turn, on the same device."""
    seconds = {"graph": [], "as-ever": []}
    for turn, way in enumerate(("as-ever", "graph", "graph", "as-ever")):
        seconds[way].append(step(bench, f"step-{way}-{precision}-{tile}-{turn}", precision, batch, tile, steps,
                                 *(["--cuda-graph"] if way == "graph" else []))["seconds"])
    graph, as_ever = (sum(seconds[way]) / 2 for way in ("graph", "as-ever"))
    return {"what": f"training step from a CUDA graph, resnet34-Unet, {batch} x {tile} px, {precision}", "unit": "ms",
            "nephron": 1e3 * graph, "peer": 1e3 * as_ever, "how": "nephron without", "ratio": as_ever / graph}


def step_pair(bench, precision, batch, tile, steps, modes):
    """nephron's step and the tuned Python one, in turn, on the same device."""
    ours = step(bench, f"step-{precision}", precision, batch, tile, 5 * steps)
    peer = subprocess.run([sys.executable, os.path.join(HERE, "tuned_step.py"), "--batch", str(batch), "--tile", str(tile),
                           "--precision", precision, "--steps", str(steps), "--modes", modes, "--device", bench.device],
                          capture_output=True, text=True)
    row = {"what": f"training step, resnet34-Unet, {batch} x {tile} px, {precision}", "unit": "ms",
           "nephron": 1e3 * ours["seconds"]}
    if peer.returncode == 0:
        found = last_json(peer.stdout)
        row.update(peer=1e3 * found["seconds"], how=f"PyTorch, {found['mode']}", ratio=found["seconds"] / ours["seconds"])
    else:
        row["how"] = "no peer: " + (peer.stderr.strip().splitlines() or ["torch is not there"])[-1]
    return row


def training(bench, batch, tile, steps):
    """Tiles a second of a whole training, feed included, and the share of the time that waits for it."""
    runs = bench.fresh("speed")
    bench.program.run("train-speed", *bench.arguments(runs, bench.device, "--set", f"train.batch={batch}", "--set",
                      f"data.tile={tile}", "--set", f"train.steps_per_epoch={steps}", "--set", "train.epochs=2", "--set",
                      "train.deterministic=false", "--set", 'train.precision="bf16"'), seconds=300)
    entries = [json.loads(line) for line in open(os.path.join(only_run(runs), "fold-0", "metrics.jsonl"))]
    told = [e for e in entries if "tiles_per_s" in e]
    expect(told, "the training has told no speed")
    last = told[len(told) // 2:]
    return [{"what": f"training with its feed, resnet18-Unet, {batch} x {tile} px, bf16", "unit": "tiles/s",
             "nephron": sorted(e["tiles_per_s"] for e in last)[len(last) // 2]},
            {"what": "share of it that waits for data", "unit": "",
             "nephron": sorted(e["waited"] for e in last)[len(last) // 2]},
            {"what": "from start to the end of the first step", "unit": "s",
             "nephron": next(e["start_s"] for e in entries if "start_s" in e)}]


def prediction(bench, run, pictures):
    start = time.perf_counter()
    said = bench.program.run("predict-speed", "predict", run, "--images", pictures, "--out", bench.fresh("speed-maps"),
                             "--device", bench.device, "--precision", "bf16")
    seconds = time.perf_counter() - start
    told = re.search(r"([\d.]+) Mpx/s", said)
    row = {"what": "prediction of 4 pictures of 640 px, start included", "unit": "s", "nephron": seconds}
    return [row] + ([{"what": "prediction", "unit": "Mpx/s", "nephron": float(told[1])}] if told else [])


def table(rows):
    out = ["| what | nephron | peer | ratio |", "|---|---|---|---|"]
    for row in rows:
        unit = " " + row["unit"] if row["unit"] else ""
        peer = f"{row['peer']:.4g}{unit} ({row['how']})" if "peer" in row else row.get("how", "")
        out.append(f"| {row['what']} | {row['nephron']:.4g}{unit} | {peer} | {row['ratio']:.2f} |" if "ratio" in row
                   else f"| {row['what']} | {row['nephron']:.4g}{unit} | {peer} | |")
    return "\n".join(out)
