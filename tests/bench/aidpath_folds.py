"""Cross-validates both sides of the aidpath job, 600 steps a fold and seed, and prints the Dice of each beside the other.

A finished training is a line of --out; what has one is not done again, so it may be interrupted and repeated. Dice does
not depend on how busy the machine is: two of these may run side by side with OMP_NUM_THREADS=1, on seeds of their own.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--nephron", required=True)
p.add_argument("--peers", required=True, help="folder of the peers' programs")
p.add_argument("--data", required=True, help="folder of the aidpath tiles")
p.add_argument("--out", required=True, help="file of results, appended to")
p.add_argument("--folds", type=int, nargs="+", default=list(range(6)))
p.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
p.add_argument("--sides", nargs="+", default=["ours-fp32", "peer-fp32", "ours-bf16", "peer-bf16"],
               choices=["ours-fp32", "peer-fp32", "ours-bf16", "peer-bf16"], help="the peer is its tuned variant")
p.add_argument("--table", action="store_true", help="only print what is there")
a = p.parse_args()


def results():
    if not os.path.exists(a.out):
        return {}
    with open(a.out) as lines:
        return {(r["fold"], r["seed"], r["side"]): r for r in map(json.loads, lines)}


def train(fold, seed, side):
    who, precision = side.split("-")
    command = [sys.executable, os.path.join(HERE, "jobs.py"), "aidpath", "--data", a.data, "--precision", precision,
               "--size", "full", "--seed", str(seed), "--fold", str(fold)]
    command += ["--nephron", a.nephron] if who == "ours" else ["--peers", a.peers, "--variant", "tuned"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)
    result = json.loads(done.stdout.splitlines()[-1])
    with open(a.out, "a") as out:
        out.write(json.dumps({"fold": fold, "seed": seed, "side": side, **result}) + "\n")
    print(f"seed {seed} fold {fold} {side}: Dice {result['dice']:.4f}", flush=True)


if not a.table:
    for seed in a.seeds:
        for fold in a.folds:
            for side in a.sides:
                if (fold, seed, side) not in results():
                    train(fold, seed, side)

known = results()
print("Dice of held-out tiles: mean over the folds that every side of a seed has, one line a seed")
for seed in a.seeds:
    folds = [f for f in a.folds if all((f, seed, side) in known for side in a.sides)]
    means = [f"{side} {statistics.mean(known[f, seed, side]['dice'] for f in folds):.4f}" for side in a.sides if folds]
    print(f"seed {seed}, folds {folds}: " + "  ".join(means))
