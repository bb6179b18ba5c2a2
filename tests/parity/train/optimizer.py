"""torch.optim with given gradients, clipping, groups and schedules; averaged weights of torch.optim.swa_utils."""
import sys
import warnings

import torch
from safetensors.torch import save_file
from torch.optim import lr_scheduler as schedules
from torch.optim import swa_utils

warnings.filterwarnings("ignore")  # of schedulers that are asked before an optimiser
STEPS = 8
torch.manual_seed(5)
shapes = {"conv": (4, 3, 3, 3), "bias": (4,), "late": (5,), "idle": (2, 2)}
start = {k: torch.randn(s) for k, s in shapes.items()}
# "late" has no gradient in the first three steps, as what is frozen then.
gradients = [{k: torch.randn(s) * 2 for k, s in shapes.items() if k != "idle" and (k != "late" or i > 2)}
             for i in range(STEPS)]
out = {f"start.{k}": v for k, v in start.items()}
out.update({f"gradient{i}.{k}": v for i, g in enumerate(gradients) for k, v in g.items()})


class Lion(torch.optim.Optimizer):
    """Program 1 of Chen et al. 2023 (arXiv:2302.06675), line by line."""

    def __init__(self, params, lr, betas, weight_decay):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                update = torch.sign(m * b1 + p.grad * (1 - b1)) + p * group["weight_decay"]
                self.state[p]["m"] = m * b2 + p.grad * (1 - b2)
                p -= update * group["lr"]


def grouped(p):
    """[[train.group]] match = "conv", lr_factor = .1, weight_decay = .3; no decay of norms and biases."""
    return [{"params": [p["conv"]], "lr": 1e-3, "weight_decay": .3}, {"params": [p["idle"]]},
            {"params": [p["bias"], p["late"]], "weight_decay": 0}]


optim = torch.optim
kinds = {
    "adam": lambda p: optim.Adam(p.values(), 1e-2, weight_decay=.01),
    "adamw": lambda p: optim.AdamW(p.values(), 1e-2, betas=(.8, .95), eps=1e-6, weight_decay=.1),
    "sgd": lambda p: optim.SGD(p.values(), 1e-2, momentum=.9, weight_decay=.01),
    "plain_sgd": lambda p: optim.SGD(p.values(), 1e-2),
    "nesterov": lambda p: optim.SGD(p.values(), 1e-2, momentum=.9, weight_decay=.01, nesterov=True),
    "radam": lambda p: optim.RAdam(p.values(), 1e-2, weight_decay=.01),
    "radam_short": lambda p: optim.RAdam(p.values(), 1e-2, betas=(.8, .95), eps=1e-6),
    "lion": lambda p: Lion(p.values(), 1e-2, (.9, .99), .1),
    "groups": lambda p: optim.AdamW(grouped(p), 1e-2, weight_decay=.1),
}
for name, make in kinds.items():
    for clip in (0, 1.5):
        p = {k: v.clone().requires_grad_() for k, v in start.items()}
        optimiser = make(p)
        schedule = schedules.LambdaLR(optimiser, lambda i: 1 / (1 + i))
        for g in gradients:
            for k, v in g.items():
                p[k].grad = v.clone()
            if clip:
                torch.nn.utils.clip_grad_norm_(p.values(), clip)
            optimiser.step()
            schedule.step()
        out.update({f"{name}.{clip}.{k}": v.detach() for k, v in p.items()})

# Rates of 40 steps, of which 8 warm up, as shares of the highest.
TOTAL, WARM = 40, 8


def rates(make, steps=TOTAL, told=lambda i: ()):
    optimiser = optim.SGD([torch.zeros(1)], 1.)
    schedule = make(optimiser)
    found = []
    for i in range(steps):
        found.append(optimiser.param_groups[0]["lr"])
        schedule.step(*told(i))
    return torch.tensor(found, dtype=torch.float64)


def warmed(make):
    return lambda o: schedules.SequentialLR(o, [schedules.LinearLR(o, .1, total_iters=WARM), make(o)], [WARM])


out["schedule.linear"] = rates(warmed(lambda o: schedules.LinearLR(o, 1, .05, TOTAL - WARM)))
out["schedule.cosine"] = rates(warmed(lambda o: schedules.CosineAnnealingLR(o, TOTAL - WARM, eta_min=.05)))
out["schedule.poly"] = rates(warmed(lambda o: schedules.PolynomialLR(o, TOTAL - WARM, power=.9)))
out["schedule.constant"] = rates(warmed(lambda o: schedules.ConstantLR(o, 1)))
for name, share in {"one_cycle": .3, "one_cycle_short": .125, "one_cycle_odd": .33}.items():
    out[f"schedule.{name}"] = rates(
        lambda o: schedules.OneCycleLR(o, 1, TOTAL, pct_start=share, cycle_momentum=False))
dice = [.2, .3, .301, .3, .29, .3, .4, .1, .2, .3, .401, .4, .3, .2, .1, .1, .1, .1]
out["dice"] = torch.tensor(dice, dtype=torch.float64)
for name, (patience, cooldown) in {"plateau": (1, 0), "plateau_cool": (0, 2)}.items():
    out[f"schedule.{name}"] = rates(
        lambda o: schedules.ReduceLROnPlateau(o, "max", .5, patience, threshold=.01, cooldown=cooldown, min_lr=.1),
        len(dice), lambda i: (dice[i],))

# Averages of the weights that "late" steps leave, buffers too where the average is exponential.
for name, model_average in {
        "ema": lambda m: swa_utils.AveragedModel(m, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(.9), use_buffers=True),
        "swa": lambda m: swa_utils.AveragedModel(m, multi_avg_fn=swa_utils.get_swa_multi_avg_fn())}.items():
    model = torch.nn.Module()
    model.weight = torch.nn.Parameter(start["conv"].clone())
    model.register_buffer("running_mean", start["bias"].clone())
    average = model_average(model)
    for g in gradients:
        with torch.no_grad():
            model.weight += g["conv"]
            model.running_mean += g["bias"]
        average.update_parameters(model)
    out[f"{name}.weight"] = average.module.weight.detach()
    out[f"{name}.running_mean"] = average.module.running_mean

# Statistics made anew of five batches, of two normalisations after each other.
model = torch.nn.Sequential(torch.nn.BatchNorm2d(3), torch.nn.ReLU(), torch.nn.BatchNorm2d(3, momentum=.01))
batches = [torch.randn(4, 3, 6, 5) * 3 + i for i in range(5)]
swa_utils.update_bn(batches, model)
out.update({f"batch{i}": b for i, b in enumerate(batches)})
out.update({f"statistics.{k}": v for k, v in model.state_dict().items()})
save_file({k: v.contiguous() for k, v in out.items()}, sys.argv[1])
