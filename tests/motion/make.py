"""Fixtures of a motion cascade (tests/fixtures/motion_cascade, imported from STAGE1.pt) and of the built-in regressor,
for `echoif verify tests/fixtures`.

    pip install torch numpy scipy opencv-python-headless safetensors einops einops-exts tqdm pyyaml
    pip install --no-deps imagen-pytorch==1.21.6
    python tests/motion/make.py TRAINING STAGE1.pt METER.pt CASCADE_SHA256 REGRESSOR_SHA256

TRAINING: the folder with stage1.py, meter.py and carry.py, by which these weights were trained. The hashes are
what `echoif evaluate --cascade tests/fixtures/motion_cascade --json` calls `cascade_sha256` and `regressor_sha256`. Anatomies: simulated hearts.
"""
import json
import sys

import cv2
import numpy as np
import torch
from safetensors.torch import save_file

training, stage1_file, meter_file, cascade_hash, regressor_hash = sys.argv[1:]
sys.path.insert(0, training)
import meter  # noqa: E402
import stage1  # noqa: E402
from carry import carry, sector  # noqa: E402
from evaluate import up  # noqa: E402

torch.set_num_threads(1)
OUT = "tests/fixtures"
HEARTS = [cv2.imread(f"assets/a4c_{k}.png", 0) for k in (1, 2)]


def write(name, tensors, manifest):
    save_file({k: v.contiguous() for k, v in tensors.items()}, f"{OUT}/{name}.safetensors")
    with open(f"{OUT}/{name}.json", "w") as f:
        json.dump({"fixture": name, **manifest}, f, indent=1)
        f.write("\n")


@torch.no_grad()
def motion():
    net = stage1.load(stage1_file)
    anatomy = torch.from_numpy(np.stack(HEARTS))[:, None].float() / 255
    ef = torch.tensor([0.2, 0.7])
    noise = torch.randn((1, 3, 16, 28, 28), generator=torch.Generator().manual_seed(0))
    features = net.enc(anatomy, ef)
    level = lambda n, s: torch.full((n,), s)
    d1 = net(noise.expand(2, -1, -1, -1, -1) * 160, level(2, 160.0), features, ef)
    # Three Euler steps of the first heart, 160 to 3: each step's state and estimate.
    sigmas = [(160 ** (1 / 7) + i / 2 * (3 ** (1 / 7) - 160 ** (1 / 7))) ** 7 for i in range(3)]
    x, states, estimates = noise * sigmas[0], [], []
    for k, s in enumerate(sigmas):
        d = net(x, level(1, s), features[:1], ef[:1])
        states.append(x)
        estimates.append(d)
        if k < 2:
            x = x + (sigmas[k + 1] - s) * (x - d) / s
    tensors = dict(anatomy=anatomy, ef=ef, noise=noise, features=features, d1=d1)
    tensors |= dict(sigmas=torch.tensor(sigmas), x=torch.stack(states), d=torch.stack(estimates))
    write("motion_builtin", tensors, {"family": "motion", "checkpoint": "motion_cascade", "sha256": cascade_hash})


@torch.no_grad()
def regressor():
    net, net1, mask = meter.load(meter_file), stage1.load(stage1_file), sector(HEARTS[0])
    cases, clips = {}, {}
    anatomy = torch.from_numpy(HEARTS[0])[None, None].float() / 255
    motions = stage1.sample(net1, anatomy.expand(2, -1, -1, -1), torch.tensor([0.3, 0.7]))
    for name, m in zip(("ef30", "ef70"), motions.permute(0, 2, 3, 4, 1).numpy()):
        clips[name] = carry(HEARTS[0], up(m[..., :2]) * stage1.PX, mask)
    clips["still"] = np.repeat(HEARTS[0][None], 16, 0)
    for name, clip in clips.items():
        case = {"frames": meter.TWICE, "average": 2, "out": [meter.measure(net, clip)]}
        manifest = {"family": "regressor", "checkpoint": "built-in", "sha256": regressor_hash}
        manifest |= {"clip_from": {"fixture": f"meter_{name}", "tensor": "clip", "divisor": 255}}
        write(f"meter_{name}", {"clip": torch.from_numpy(clip)[None, None]}, manifest | {"cases": {"beat": case}})


motion()
regressor()
