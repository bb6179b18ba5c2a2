"""Five steps of torch.optim with given gradients, clipping and schedules."""
import sys

import torch
from safetensors.torch import save_file

torch.manual_seed(5)
shapes = {"conv": (4, 3, 3, 3), "bias": (4,), "idle": (2, 2)}
start = {k: torch.randn(s) for k, s in shapes.items()}
gradients = [{k: torch.randn(s) * 2 for k, s in shapes.items() if k != "idle"} for _ in range(5)]
out = {f"start.{k}": v for k, v in start.items()}
out.update({f"gradient{i}.{k}": v for i, g in enumerate(gradients) for k, v in g.items()})
kinds = {
    "adam": lambda p: torch.optim.Adam(p, 1e-2, weight_decay=.01),
    "adamw": lambda p: torch.optim.AdamW(p, 1e-2, betas=(.8, .95), eps=1e-6, weight_decay=.1),
    "sgd": lambda p: torch.optim.SGD(p, 1e-2, momentum=.9, weight_decay=.01),
}
for name, make in kinds.items():
    for clip in (0, 1.5):
        p = {k: v.clone().requires_grad_() for k, v in start.items()}
        optimiser = make(p.values())
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda i: 1 / (1 + i))
        for g in gradients:
            for k, v in g.items():
                p[k].grad = v.clone()
            if clip:
                torch.nn.utils.clip_grad_norm_(p.values(), clip)
            optimiser.step()
            schedule.step()
        out.update({f"{name}.{clip}.{k}": v.detach() for k, v in p.items()})
save_file({k: v.contiguous() for k, v in out.items()}, sys.argv[1])
