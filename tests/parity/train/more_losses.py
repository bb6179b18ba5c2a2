"""Losses of regions, orders and distances: Segmentation Models PyTorch where it has them, else their formulas."""
import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from segmentation_models_pytorch import losses as smp

elu_hinge = lambda e: torch.nn.functional.elu(e) + 1  # noqa: E731


def overlap(squares=False, jaccard=False, smooth=0.):
    """MONAI's DiceLoss(batch=True, sigmoid=True), smooth_nr = smooth_dr = 2 smooth."""
    def loss(x, t):
        p = torch.sigmoid(x)
        both, all_ = (p * t).sum(), ((p ** 2 + t ** 2) if squares else (p + t)).sum()
        if jaccard:
            all_ = 2 * (all_ - both)
        return 1 - (2 * both + 2 * smooth) / (all_ + 2 * smooth)
    return loss


def lovasz(x, t, hinge=torch.relu):
    """The hinge of Berman et al. for flat pixels, in double precision: steps of float32 are off by 1e-5 of the largest."""
    errors = 1 - x * (2 * t - 1)
    errors, order = errors.sort(descending=True)
    t = t[order]
    jaccard = 1 - (t.sum() - t.cumsum(0)) / (t.sum() + (1 - t).cumsum(0))
    jaccard[1:] = jaccard[1:] - jaccard[:-1].clone()
    return (hinge(errors) * jaccard).sum()


def lovasz_of_images(hinge, symmetric=False, times=None):
    """Mean over images. `times`: how often each pixel is there."""
    def loss(x, t):
        values = []
        for i in range(len(x)):
            a, b = x[i].reshape(-1).double(), t[i].reshape(-1).double()
            if times is not None:
                n = times[i, 0].reshape(-1).long()
                a, b = a.repeat_interleave(n), b.repeat_interleave(n)
            value = lovasz(a, b, hinge)
            values.append((value + lovasz(-a, 1 - b, hinge)) / 2 if symmetric else value)
        return torch.stack(values).mean()
    return loss


def from_boundary(mask):
    """Of each pixel to the nearest on the other side; as MONAI's HausdorffDTLoss, but 0 where all is foreground."""
    if not mask.any() or mask.all():
        return np.zeros(mask.shape)
    return distance_transform_edt(mask) + distance_transform_edt(~mask)


def hausdorff(alpha=2., one_sided=False, known=None):
    def loss(x, t):
        values = []
        for i in range(len(x)):
            k = torch.ones_like(t[i, 0], dtype=torch.bool) if known is None else known[i, 0] > 0
            far = torch.from_numpy(from_boundary(((t[i, 0] > .5) & k).numpy())) ** alpha
            if not one_sided:
                far = far + torch.from_numpy(from_boundary(((x[i, 0] > 0) & k).numpy())) ** alpha
            value = (torch.sigmoid(x[i, 0]) - t[i, 0]) ** 2 * far.float()
            values.append(value[k].mean())
        return torch.stack(values).mean()
    return loss


def focal_tversky(x, t):
    return smp.TverskyLoss("binary", alpha=.3, beta=.7, gamma=.75)(x, t)


def mcc(x, t):
    return smp.MCCLoss()(torch.sigmoid(x), t)


def known_mcc(x, t):
    k = t >= 0
    return mcc(x[k].view(1, 1, -1), t[k].view(1, 1, -1))


def add(out):
    """To tensors `logits`, `hard`, `soft`, `none`: values a class and gradients of each case."""
    logits, shape = out["logits"], out["logits"].shape
    torch.manual_seed(11)
    known = (torch.rand(shape) > .3).float()
    known[:, :, :, :4] = 0
    times = torch.randint(0, 4, shape).float()
    blobs = torch.nn.functional.avg_pool2d(torch.rand(shape), 5, 1, 2)
    blobs = (blobs > blobs.mean()).float()
    blobs[0, 0], blobs[0, 1] = 0, 1
    blob_logits = torch.nn.functional.avg_pool2d(torch.randn(shape), 5, 1, 2) * 8
    out.update({"half_known": known, "times": times, "blob_masks": blobs, "blob_logits": blob_logits})

    def record(name, target, loss, of="logits", weights=None):
        x = out[of].clone().requires_grad_()
        t = out[target] if weights is None else torch.where(weights > 0, out[target], -1.)
        values = [loss(x[:, c:c + 1].contiguous(), t[:, c:c + 1].contiguous()) for c in range(2)]
        values = torch.stack(values).float()
        (values * torch.tensor([1., .7])).sum().backward()
        out[f"{name}.{target}.values"], out[f"{name}.{target}.gradient"] = values.detach(), x.grad

    tversky = smp.TverskyLoss("binary", alpha=.3, beta=.7)
    for target in ("hard", "soft", "none"):
        record("jaccard", target, smp.JaccardLoss("binary"))
        record("jaccard_log", target, smp.JaccardLoss("binary", log_loss=True, smooth=2.))
        record("tversky", target, tversky)
        if target != "none":  # its slope is NaN at the peer where there is no foreground
            record("focal_tversky", target, focal_tversky)
        record("dice_product", target, overlap(smooth=.5))
        record("dice_squares", target, overlap(squares=True, smooth=.5))
        record("jaccard_product", target, overlap(jaccard=True, smooth=.5))
        record("mcc", target, mcc)
        record("lovasz_elu", target, lovasz_of_images(elu_hinge, symmetric=True))
    for target in ("hard", "none"):
        record("lovasz", target, smp.LovaszLoss("binary", per_image=True))
        record("lovasz_batch", target, smp.LovaszLoss("binary", per_image=False))
    for name, options in {"hausdorff": {}, "hausdorff_one": {"one_sided": True, "alpha": 1.}}.items():
        record(name, "blob_masks", hausdorff(**options), of="blob_logits")

    # Pixels that are not annotated, and pixels that count more than once.
    for name, loss in {"jaccard": smp.JaccardLoss("binary", ignore_index=-1),
                       "tversky": smp.TverskyLoss("binary", alpha=.3, beta=.7, ignore_index=-1),
                       "lovasz": smp.LovaszLoss("binary", per_image=True, ignore_index=-1),
                       "lovasz_batch": smp.LovaszLoss("binary", per_image=False, ignore_index=-1),
                       "mcc": known_mcc}.items():
        record("known_" + name, "hard", loss, weights=known)
    record("known_hausdorff", "blob_masks", hausdorff(known=known[:, :1]), of="blob_logits", weights=known[:, :1])
    out["one_known"] = known[:, :1].expand(shape)
    for name, hinge in (("times_lovasz", torch.relu), ("times_lovasz_elu", elu_hinge)):
        x = logits.clone().requires_grad_()
        values = torch.stack([lovasz_of_images(hinge, times=times[:, c:c + 1])(x[:, c:c + 1], out["soft"][:, c:c + 1])
                              for c in range(2)]).float()
        (values * torch.tensor([1., .7])).sum().backward()
        out[f"{name}.soft.values"], out[f"{name}.soft.gradient"] = values.detach(), x.grad
