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
more_losses.add(out)
save_file({k: v.contiguous() for k, v in out.items()}, sys.argv[1])
