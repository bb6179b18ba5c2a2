"""Runs a peer program with autocast switched off: its tuned variant in fp32.  python fp32.py PROGRAM ARGUMENTS..."""
import os
import runpy
import sys

import torch

autocast = torch.autocast


class Off(autocast):
    def __init__(self, *arguments, **options):
        options["enabled"] = False
        super().__init__(*arguments, **options)


torch.autocast = torch.amp.autocast = Off
sys.argv = sys.argv[1:]
sys.path.insert(0, os.path.dirname(os.path.abspath(sys.argv[0])))
runpy.run_path(sys.argv[0], run_name="__main__")
