"""Makes the reference files of smp_cases.json that are not there yet, in one process: importing SMP takes longer than
running it. Usage: export_smp_cases.py CASES.json PEERS_FOLDER OUT_FOLDER [--full]"""
import json
import os
import sys

DECODERS = {"unet": "Unet", "unet++": "UnetPlusPlus", "fpn": "FPN", "linknet": "Linknet", "deeplabv3+": "DeepLabV3Plus"}


def main():
    cases, peers, out = sys.argv[1:4]
    full = "--full" in sys.argv[4:]
    wanted = [c for c in json.load(open(cases)) if full or not c["full"]]
    todo = [c for c in wanted if not os.path.exists(os.path.join(out, c["name"] + ".safetensors"))]
    if not todo:
        return
    sys.path.insert(0, peers)
    import export_smp
    import torch
    from segmentation_models_pytorch.encoders import _efficientnet
    sizes_of_0_6 = _efficientnet.calculate_output_image_size
    for case in todo:
        # The release of 2021 took each padding from the size of the image, this one from the size of the layer's map.
        then = case.get("release") == "2021"
        _efficientnet.calculate_output_image_size = (lambda size, stride: size) if then else sizes_of_0_6
        torch.use_deterministic_algorithms(False)
        path = os.path.join(out, case["name"] + ".safetensors")
        encoder = ("tu-" if case["encoder"].startswith("convnext") else "") + case["encoder"]
        sys.argv = ["export_smp.py", "--decoder", DECODERS[case.get("type", "unet")], "--encoder", encoder,
                    "--size", str(case.get("size", 64)), "--batch", str(case.get("batch", 2)),
                    "--seed", str(case.get("seed", 1)), "--in-channels", str(case.get("channels", 3)),
                    "--options", json.dumps(case.get("smp", {})), "--out", path + ".tmp"]
        export_smp.main()
        os.replace(path + ".tmp", path)


if __name__ == "__main__":
    main()
