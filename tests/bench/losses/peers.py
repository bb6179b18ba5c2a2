"""Forward and backward of the losses of cases.toml as their Python peers have them; the last line is JSON."""
import argparse
import json
import statistics
import time

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from segmentation_models_pytorch import losses as smp

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--batch", type=int, default=8)
p.add_argument("--classes", type=int, default=2)
p.add_argument("--tile", type=int, default=512)
p.add_argument("--right", type=float, default=2)
p.add_argument("--steps", type=int, default=5)
p.add_argument("--threads", type=int, default=0)
a = p.parse_args()
if a.threads:
    torch.set_num_threads(a.threads)
torch.manual_seed(42)
target = (torch.rand(a.batch, a.classes, (a.tile + 31) // 32, (a.tile + 31) // 32) < .3).float()
target = target.repeat_interleave(32, 2).repeat_interleave(32, 3)[..., :a.tile, :a.tile].contiguous()
logits = (2 * target - 1) * a.right + 2 * torch.randn(target.shape)


def classwise(loss):
    return lambda x, t: sum(loss(x[:, c:c + 1], t[:, c:c + 1]) for c in range(a.classes)) / a.classes


def lovasz_elu(x, t):
    """The HuBMAP solution's: image by image, logits and their opposite sorted one after the other."""
    def flat(z, y):
        errors, order = (1 - z * (2 * y - 1)).sort(descending=True)
        y = y[order]
        jaccard = 1 - (y.sum() - y.cumsum(0)) / (y.sum() + (1 - y).cumsum(0))
        jaccard[1:] = jaccard[1:] - jaccard[:-1].clone()
        return torch.dot(torch.nn.functional.elu(errors) + 1, jaccard)
    values = [(flat(z.reshape(-1), y.reshape(-1)) + flat(-z.reshape(-1), 1 - y.reshape(-1))) / 2
              for z, y in zip(x, t)]
    return torch.stack(values).mean()


def planes(masks, of):
    return torch.from_numpy(np.stack([of(m) for m in masks.flatten(0, 1).numpy()])).float().view(masks.shape)


def signed(m):
    if not m.any() or m.all():
        return np.zeros(m.shape)
    return distance_transform_edt(~m) * ~m - (distance_transform_edt(m) - 1) * m


def unsigned(m):
    if not m.any() or m.all():
        return np.zeros(m.shape)
    return distance_transform_edt(m) + distance_transform_edt(~m)


def boundary(x, t):
    return (torch.sigmoid(x) * planes(t > .5, signed)).mean() * .01


def hausdorff(x, t):
    far = planes(t > .5, unsigned) ** 2 + planes(x.detach() > 0, unsigned) ** 2
    return ((torch.sigmoid(x) - t) ** 2 * far).mean()


losses = {
    "bce": torch.nn.BCEWithLogitsLoss(),
    "bce_smooth": smp.SoftBCEWithLogitsLoss(smooth_factor=.1, ignore_index=None, pos_weight=torch.tensor(2.)),
    "focal": smp.FocalLoss("binary", alpha=.25),
    "dice": smp.DiceLoss("multilabel"),
    "jaccard": smp.JaccardLoss("multilabel"),
    "tversky": smp.TverskyLoss("multilabel", alpha=.3, beta=.7),
    "focal_tversky": smp.TverskyLoss("multilabel", alpha=.3, beta=.7, gamma=.75),
    "mcc": classwise(lambda x, t: smp.MCCLoss()(torch.sigmoid(x), t)),
    "lovasz": classwise(smp.LovaszLoss("binary", per_image=True)),
    "lovasz_batch": classwise(smp.LovaszLoss("binary", per_image=False)),
    "lovasz_elu": classwise(lovasz_elu),
    "boundary": boundary,
    "hausdorff": hausdorff,
}
line = {"job": "losses", "batch": a.batch, "classes": a.classes, "tile": a.tile, "right": a.right,
        "threads": torch.get_num_threads()}
for name, loss in losses.items():
    times = []
    for _ in range(a.steps + 1):
        x = logits.clone().requires_grad_()
        before = time.perf_counter()
        loss(x, target).backward()
        times.append((time.perf_counter() - before) * 1e3)
    line[name + "_ms"] = statistics.median(times[1:])
print(json.dumps(line))
