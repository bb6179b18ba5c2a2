"""Runs a peer program in fp32 with the augmentations of experiments/aidpath in place of the peers' own, richer chain.

python same_chain.py PROGRAM ARGUMENTS...
"""
import os
import sys

PROGRAM = sys.argv[1]
sys.path.insert(0, os.path.dirname(os.path.abspath(PROGRAM)))
import albumentations as A  # noqa: E402
import common  # noqa: E402
import cv2  # noqa: E402


def augmentation(tile):
    return A.Compose([
        A.VerticalFlip(p=.5), A.HorizontalFlip(p=.5),
        A.ShiftScaleRotate(scale_limit=.1, shift_limit=.1, rotate_limit=90, border_mode=cv2.BORDER_REFLECT_101, p=.5),
        A.RandomBrightnessContrast(.1, .1, p=.5),
        A.GaussianBlur(blur_limit=(5, 7), p=.5),
        A.PadIfNeeded(tile, tile, border_mode=cv2.BORDER_CONSTANT), A.CenterCrop(tile, tile),
        A.Normalize(common.MEAN, common.STD),
    ])


common.augmentation = augmentation
import fp32  # noqa: E402, F401  (runs the program)
