"""Cross-validates both sides of the aidpath job, 600 steps a fold, and prints the Dice of each beside the other.

Every fold is trained with one of three seeds; --runs names others. A finished training is a line of --out; what has one
is not done again, so it may be interrupted and repeated. Dice does not depend on how busy the machine is: two of these
may run side by side with OMP_NUM_THREADS=1, on runs of their own.
"""
import argparse
import itertools
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
p.add_argument("--runs", nargs="+", default=["0:0", "1:1", "2:2", "3:0", "4:1", "5:2"], metavar="FOLD:SEED")
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


runs = [tuple(map(int, run.split(":"))) for run in a.runs]
if not a.table:
    for fold, seed in runs:
        for side in a.sides:
            if (fold, seed, side) not in results():
                train(fold, seed, side)

known = results()
sides = [s for s in a.sides if any((*run, s) in known for run in runs)]
print("Dice of held-out tiles\nfold seed " + "".join(f"{side:>10}" for side in sides))
for run in runs:
    cells = [f"{known[*run, side]['dice']:>10.4f}" if (*run, side) in known else " " * 10 for side in sides]
    print("%4d %4d " % run + "".join(cells))
for one, other in itertools.combinations(sides, 2):
    both = [run for run in runs if (*run, one) in known and (*run, other) in known]
    if len(both) < 2:
        continue
    dice = {side: [known[*run, side]["dice"] for run in both] for side in (one, other)}
    differences = [x - y for x, y in zip(dice[one], dice[other])]
    error = statistics.stdev(differences) / len(both) ** .5
    print(f"{one} {statistics.mean(dice[one]):.4f}, {other} {statistics.mean(dice[other]):.4f} over {len(both)} runs: "
          f"difference {statistics.mean(differences):+.4f}, standard error {error:.4f}")
