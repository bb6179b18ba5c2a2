"""The forward pass of bench_infer.py's tuned variant alone: tiles in memory to the mean of their probabilities.

uint8 tiles, flips in one batch, channels_last, torch.compile with frozen weights. PEERS is the folder of bench_infer.py.
"""
import argparse
import json
import statistics
import sys
import time

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("peers")
p.add_argument("--encoder", required=True)
p.add_argument("--batch", type=int, default=8)
p.add_argument("--tile", type=int, default=512)
p.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
p.add_argument("--tta", action="store_true", help="four flips")
p.add_argument("--runs", type=int, default=5)
a = p.parse_args()
sys.path.insert(0, a.peers)

import torch  # noqa: E402
from common import MEAN, STD, build_model  # noqa: E402

FLIPS = [(), (-1,), (-2,), (-2, -1)] if a.tta else [()]
start = time.perf_counter()
torch.manual_seed(0)
model = build_model(a.encoder, "Unet", 2, pretrained=False).eval().to(memory_format=torch.channels_last)
mean, std = (torch.tensor(v).view(1, 3, 1, 1) * 255 for v in (MEAN, STD))


def predict(tiles):
    x = ((tiles.permute(0, 3, 1, 2).float() - mean) / std).contiguous(memory_format=torch.channels_last)
    x = torch.cat([x.flip(f) if f else x for f in FLIPS])
    with torch.autocast("cpu", torch.bfloat16, enabled=a.precision == "bf16"):
        logits = model(x)[:, 0]
    parts = logits.float().sigmoid().chunk(len(FLIPS))
    return sum(part.flip(f) if f else part for part, f in zip(parts, FLIPS)) / len(FLIPS)


torch._inductor.config.freezing = True
compiled = torch.compile(predict)
tiles = torch.randint(0, 256, (a.batch, a.tile, a.tile, 3), dtype=torch.uint8)
seconds = []
with torch.inference_mode():
    for _ in range(2):
        compiled(tiles)
    ready = time.perf_counter() - start
    for _ in range(a.runs):
        start = time.perf_counter()
        compiled(tiles)
        seconds.append(time.perf_counter() - start)
print(json.dumps(dict(job="forward", variant="tuned", seconds=statistics.median(seconds), items=a.batch, fastest_s=min(seconds),
                      ready_s=ready, encoder=a.encoder, tile=a.tile, directions=len(FLIPS), precision=a.precision)))
