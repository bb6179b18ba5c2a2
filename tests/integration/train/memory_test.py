"""memory_test.py NEPHRON: the estimate of a training's memory beside the peak of a real step, and what is refused.

The estimate has to lie within a factor of 1.5 of the peak: training is refused only where it would need 1.5 times the
memory that is free.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

nephron = sys.argv[1]
failures = []

for encoder, batch, tile, precision in [
    ("efficientnet-lite0", 4, 128, "fp32"),
    ("resnet34", 2, 128, "fp32"),
]:
    out = subprocess.run(
        [nephron, "bench-train-step", "--encoder", encoder, "--decoder", "unet", "--loss", "bce", "--batch", str(batch),
         "--tile", str(tile), "--precision", precision, "--steps", "2", "--warmup", "1", "--threads", "2"],
        check=True, capture_output=True, text=True).stdout
    line = json.loads(out)
    peak = line["peak_rss_mb"] - line["rss_before_mb"]
    ratio = line["estimated_mb"] / peak
    print(f"{encoder} {batch} x {tile} px {precision}: estimated {line['estimated_mb']:.0f} MB, peak {peak:.0f} MB, {ratio:.2f}")
    if not 1 / 1.5 < ratio < 1.5:
        failures.append(f"{encoder}: the estimate is {ratio:.2f} of the peak")

with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    (folder / "images").mkdir()
    (folder / "huge.toml").write_text(f"""
classes = ["one"]
sampler = {{ type = "uniform" }}
[data]
tile = 1024
[[dataset]]
type = "image_folder"
root = "{folder}"
[model]
encoder = {{ type = "resnet18" }}
decoder = {{ type = "unet" }}
[loss]
terms = [ {{ type = "bce" }} ]
[train]
batch = 4096
""")
    run = subprocess.run([nephron, "train", folder / "huge.toml", "--runs", folder / "runs", "--device", "cpu"],
                         capture_output=True, text=True)
    print(run.stderr)
    if run.returncode != 1:
        failures.append(f"a batch of 4096 ended with {run.returncode}")
    for words in ["training with batches of 4096 tiles of 1024 px needs about", "are free", "train.batch = "]:
        if words not in run.stderr:
            failures.append(f"'{words}' is not said")
    if list(folder.glob("runs/*")):
        failures.append("a start that was refused left a run folder")

print("\n".join(failures))
sys.exit(bool(failures))
