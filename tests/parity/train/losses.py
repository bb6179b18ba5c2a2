"""Losses of PyTorch and Segmentation Models PyTorch, one value a class, and their gradients."""
import sys

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from safetensors.torch import save_file
from segmentation_models_pytorch import losses as smp

import more_losses

torch.manual_seed(3)
logits = torch.randn(3, 2, 17, 13) * 3
hard = (torch.rand(3, 2, 17, 13) < .3).float()
soft = torch.rand(3, 2, 17, 13)
none = hard.clone()
none[:, 1] = 0
out = {"logits": logits, "hard": hard, "soft": soft, "none": none}

cases = {
    "bce": (torch.nn.BCEWithLogitsLoss(), "hard soft"),
    "bce_weighted": (torch.nn.BCEWithLogitsLoss(pos_weight=torch.tensor(2.5)), "hard soft"),
    "bce_smooth": (smp.SoftBCEWithLogitsLoss(smooth_factor=.1, ignore_index=None), "hard soft"),
    "dice": (smp.DiceLoss("binary"), "hard soft none"),
    "dice_log": (smp.DiceLoss("binary", log_loss=True, smooth=1.5), "hard soft none"),
    "focal": (smp.FocalLoss("binary", alpha=.25), "hard"),
    "focal_gamma": (smp.FocalLoss("binary", alpha=.6, gamma=.5), "hard"),
}
for name, (loss, targets) in cases.items():
    for target in targets.split():
        x = logits.clone().requires_grad_()
        values = torch.stack([loss(x[:, c:c + 1].contiguous(), out[target][:, c:c + 1].contiguous()) for c in range(2)])
        (values * torch.tensor([1., .7])).sum().backward()
        out[f"{name}.{target}.values"] = values.detach()
        out[f"{name}.{target}.gradient"] = x.grad

# The reference's loss of two classes: (mean(healthy) + 0.2 sum(w mean_px(unhealthy)) / (sum(w) + 1e-6)) / 1.2
for name, weight in {"mixed": [1., 0., 1.], "soft": [.3, .9, 0.], "ones": [1.] * 3, "zeros": [0.] * 3}.items():
    w = torch.tensor(weight)
    x = logits.clone().requires_grad_()
    value = torch.nn.functional.binary_cross_entropy_with_logits(x, hard, reduction="none")
    total = (value[:, 0].mean() + .2 * (w * value[:, 1].mean((1, 2))).sum() / (w.sum() + 1e-6)) / 1.2
    total.backward()
    out.update({f"reference.{name}.weight": w, f"reference.{name}.values": total.detach(), f"reference.{name}.gradient": x.grad})
# Kervadec's boundary loss: softmax or sigmoid times the signed distance that scipy gives; blobs, single pixels, an empty
# and a full plane.
def signed_distance(mask):
    if not mask.any() or mask.all():
        return np.zeros(mask.shape)
    return distance_transform_edt(~mask) * ~mask - (distance_transform_edt(mask) - 1) * mask


smooth = torch.nn.functional.avg_pool2d(torch.rand(4, 2, 90, 71), 9, 1, 4)
blobs = (smooth > .5).float()
blobs[1, 0] = 0
blobs[1, 1] = 1
blobs[2, 0] = 0
blobs[2, 0, 3, 60] = 1
distance = torch.from_numpy(np.stack([[signed_distance(p.numpy() > .5) for p in sample] for sample in blobs])).float()
x = torch.randn(4, 2, 90, 71).requires_grad_()
value = (torch.sigmoid(x) * distance).mean((2, 3))
value.sum().backward()
out.update({"blobs": blobs, "distance": distance, "boundary.logits": x.detach(), "boundary.values": value.detach(),
            "boundary.gradient": x.grad})

# Pixels that count differently: two of them not at all.
pixels = torch.rand(3, 2, 17, 13)
pixels[:, :, 4:9, 2:11] = 0
pixels[2, 1] = 0
x = logits.clone().requires_grad_()
bce = torch.nn.functional.binary_cross_entropy_with_logits(x, hard, reduction="none")
total = (bce * pixels).sum((0, 2, 3)) / pixels.sum((0, 2, 3))
total.mean().backward()
out.update({"pixels": pixels, "pixels.values": total.mean().detach(), "pixels.gradient": x.grad})

# Ignored pixels: torch's mean over those that are left, SMP's ignore_index.
known = torch.rand(3, 1, 17, 13) > .3
known[:, :, :, :5] = False
marked = torch.where(known, hard, -1.)
ignoring = {
    "bce": lambda x, t: torch.nn.functional.binary_cross_entropy_with_logits(x[t >= 0], t[t >= 0]),
    "dice": smp.DiceLoss("binary", ignore_index=-1),
    "dice_log": smp.DiceLoss("binary", log_loss=True, smooth=1.5, ignore_index=-1),
    "focal": smp.FocalLoss("binary", alpha=.25, ignore_index=-1),
}
for name, loss in ignoring.items():
    x = logits.clone().requires_grad_()
    value = sum(loss(x[:, c:c + 1].contiguous(), marked[:, c:c + 1].contiguous()) for c in range(2)) / 2
    value.backward()
    out.update({f"ignored.{name}.values": value.detach(), f"ignored.{name}.gradient": x.grad})
out["known"] = known.float().expand(3, 2, 17, 13)

# Exclusive classes: the background's logit is 0, and its index too.
def cross_entropy(x, target, **more):
    return torch.nn.functional.cross_entropy(torch.cat([torch.zeros_like(x[:, :1]), x], 1), target, **more)


index = torch.randint(0, 3, (3, 17, 13))
hot = torch.nn.functional.one_hot(index, 3).permute(0, 3, 1, 2).float()
shares = torch.softmax(torch.randn(3, 3, 17, 13) * 2, 1)
skipped = torch.where(known[:, 0], index, -1)
out.update({"exclusive.hot": hot[:, 1:], "exclusive.shares": shares[:, 1:]})
for name, value in {
    "hot": lambda x: cross_entropy(x, index),
    "smooth": lambda x: cross_entropy(x, index, label_smoothing=.1),
    "shares": lambda x: cross_entropy(x, shares),
    "ignored": lambda x: cross_entropy(x, skipped, ignore_index=-1),
    "dice": lambda x: sum(smp.DiceLoss("binary", from_logits=False)(
        torch.softmax(torch.cat([torch.zeros_like(x[:, :1]), x], 1), 1)[:, c:c + 1].contiguous(),
        hot[:, c:c + 1].contiguous()) for c in (1, 2)) / 2,
}.items():
    x = logits.clone().requires_grad_()
    value(x).backward()
    out.update({f"exclusive.{name}.values": value(logits).detach(), f"exclusive.{name}.gradient": x.grad})
more_losses.add(out)
save_file({k: v.contiguous() for k, v in out.items()}, sys.argv[1])
