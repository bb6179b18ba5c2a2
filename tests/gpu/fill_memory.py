"""Takes a CUDA device's memory but for 300 MB, says "full", and gives it back when its input is closed."""
import sys

import torch

device = torch.device(sys.argv[1])
torch.empty(1, device=device)
free, _ = torch.cuda.mem_get_info(device)
held = torch.empty(max(0, free - 300 * 2 ** 20), dtype=torch.uint8, device=device)
print("full", held.numel(), flush=True)
sys.stdin.read()
