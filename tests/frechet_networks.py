"""Makes the fixtures of the networks that FID and FVD look with: `tests/fixtures/metrics_fid.*` and `metrics_fvd.*`.

    pip install torch torchvision numpy safetensors
    python tests/frechet_networks.py tests/fixtures

Inception-v3 is torchvision's, with the pooling of the network of 2015 that FID is defined by; I3D is written here from its
description (Carreira and Zisserman, 2017), with the names of its usual PyTorch state. Weights are by the hash recipe of the
fixtures, so that none need be stored: what is compared is the arithmetic, from the bytes of 112 x 112 pictures on.
"""
import json
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from safetensors.numpy import save_file
from torch import nn
from torchvision.models import inception

SIDE = 112
GAIN = 2.0


def values(name, n):
    """-1..1 by SplitMix64 from the FNV-1a hash of a name."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x100000001B3) % 2**64
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return 2.0 * ((z >> np.uint64(40)).astype(np.float64) / 2.0**24) - 1.0


def by_recipe(net, prefix):
    state = net.state_dict()
    for key, tensor in state.items():
        if not tensor.is_floating_point():
            continue
        last = key.rsplit(".", 1)[-1]
        if last == "running_var":
            scale, offset = 0.5, 1.0
        elif tensor.ndim >= 2:
            scale, offset = (3.0 * GAIN / np.prod(tensor.shape[1:])) ** 0.5, 0.0
        elif last == "weight":
            scale, offset = 0.2, 1.0
        else:
            scale, offset = 0.2, 0.0
        drawn = offset + scale * values(prefix + key, tensor.numel())
        state[key] = torch.from_numpy(drawn.astype(np.float32)).reshape(tensor.shape)
    net.load_state_dict(state)
    return net.eval()


class Pooling:
    """torchvision's `F` with the pooling of the network of 2015: means of what is inside, and once the maximum."""

    def __init__(self, maximum):
        self.maximum = maximum

    def __getattr__(self, name):
        return getattr(F, name)

    def avg_pool2d(self, x, kernel_size, stride, padding):
        if self.maximum:
            return F.max_pool2d(x, kernel_size, stride, padding)
        return F.avg_pool2d(x, kernel_size, stride, padding, count_include_pad=False)


def fid_features(net, x):
    """Of pictures `[n, 3, h, w]` of 0..255: resized as TensorFlow 1 did, by corners; the mean of the last maps."""
    n, _, h, w = x.shape
    theta = torch.eye(2, 3)
    theta[0, 2] += 1 / w - 1 / 299
    theta[1, 2] += 1 / h - 1 / 299
    grid = F.affine_grid(theta[None].repeat(n, 1, 1), [n, 3, 299, 299], align_corners=False)
    x = F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)
    x = (x - 128) / 128
    for name in ["Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "maxpool1", "Conv2d_3b_1x1", "Conv2d_4a_3x3", "maxpool2",
                 "Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e",
                 "Mixed_7a", "Mixed_7b", "Mixed_7c"]:
        inception.F = Pooling(name == "Mixed_7c")
        x = getattr(net, name)(x)
    return x.mean((2, 3))


def same(x, kernel, stride):
    """Zeros around it, as TensorFlow's SAME."""
    pads = []
    for size, k, s in reversed(list(zip(x.shape[2:], kernel, stride))):
        all_of_them = max(k - (s if size % s == 0 else size % s), 0)
        pads += [all_of_them // 2, all_of_them - all_of_them // 2]
    return F.pad(x, pads)


class Unit(nn.Module):
    def __init__(self, i, o, kernel=1, stride=1):
        super().__init__()
        self.kernel, self.stride = (kernel,) * 3, (stride,) * 3
        self.conv3d = nn.Conv3d(i, o, kernel, stride, bias=False)
        self.bn = nn.BatchNorm3d(o, eps=0.001)

    def forward(self, x):
        return self.bn(self.conv3d(same(x, self.kernel, self.stride))).relu()


class Mixed(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.b0 = Unit(i, o[0])
        self.b1a, self.b1b = Unit(i, o[1]), Unit(o[1], o[2], 3)
        self.b2a, self.b2b = Unit(i, o[3]), Unit(o[3], o[4], 3)
        self.b3b = Unit(i, o[5])

    def forward(self, x):
        pooled = F.max_pool3d(same(x, (3,) * 3, (1,) * 3), 3, 1)
        return torch.cat([self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(pooled)], 1)


class Logits(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv3d = nn.Conv3d(1024, 400, 1)


class I3d(nn.Module):
    MIXED = {"3b": (64, 96, 128, 16, 32, 32), "3c": (128, 128, 192, 32, 96, 64), "4b": (192, 96, 208, 16, 48, 64),
             "4c": (160, 112, 224, 24, 64, 64), "4d": (128, 128, 256, 24, 64, 64), "4e": (112, 144, 288, 32, 64, 64),
             "4f": (256, 160, 320, 32, 128, 128), "5b": (256, 160, 320, 32, 128, 128), "5c": (384, 192, 384, 48, 128, 128)}

    def __init__(self):
        super().__init__()
        self.Conv3d_1a_7x7 = Unit(3, 64, 7, 2)
        self.Conv3d_2b_1x1, self.Conv3d_2c_3x3 = Unit(64, 64), Unit(64, 192, 3)
        i = 192
        for name, o in self.MIXED.items():
            self.add_module(f"Mixed_{name}", Mixed(i, o))
            i = o[0] + o[2] + o[4] + o[5]
        self.logits = Logits()

    def forward(self, x):
        def pooled(x, kernel, stride):
            return F.max_pool3d(same(x, kernel, stride), kernel, stride)

        x = pooled(self.Conv3d_1a_7x7(x), (1, 3, 3), (1, 2, 2))
        x = pooled(self.Conv3d_2c_3x3(self.Conv3d_2b_1x1(x)), (1, 3, 3), (1, 2, 2))
        for name in self.MIXED:
            if name == "4b":
                x = pooled(x, (3, 3, 3), (2, 2, 2))
            if name == "5b":
                x = pooled(x, (2, 2, 2), (2, 2, 2))
            x = getattr(self, f"Mixed_{name}")(x)
        x = F.avg_pool3d(x, (2, 7, 7), 1)
        return self.logits.conv3d(x).mean((2, 3, 4))


def fvd_features(net, x):
    """Of clips `[n, 3, f, h, w]` of 0..255."""
    x = F.interpolate(x, size=(x.shape[2], 224, 224), mode="trilinear", align_corners=False)
    return net(x / 127.5 - 1)


def main(folder):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    # Discs that grow and fade on noise: bytes as of a cine.
    y, x = np.mgrid[:SIDE, :SIDE]
    frames = []
    for k in range(16):
        disc = 150 * (np.hypot(x - 56, y - 50 - k) < 22 + 6 * np.sin(k / 3))
        frames.append(np.clip(disc + rng.integers(0, 90, (SIDE, SIDE)), 0, 255))
    frames = np.stack(frames).astype(np.uint8)
    padded = torch.from_numpy(frames).float()[:, None].repeat(1, 3, 1, 1)
    padded = F.pad(padded, (8, 8, 8, 8))
    with torch.no_grad():
        net = torchvision.models.inception_v3(weights=None, aux_logits=False, init_weights=False, num_classes=1008)
        first = fid_features(by_recipe(net, "inception."), padded[:2])
        second = fvd_features(by_recipe(I3d(), "i3d."), padded.transpose(0, 1)[None])
    for name, prefix, seen, out in [("fid", "inception.", frames[:2], first), ("fvd", "i3d.", frames, second)]:
        out = out.numpy()
        print(name, out.shape, float(np.abs(out).mean()), float(np.abs(out).max()))
        path = pathlib.Path(folder) / f"metrics_{name}"
        manifest = {"family": "metrics", "fixture": path.name, "features": name, "recipe": {"prefix": prefix, "gain": GAIN},
                    "made_by": f"tests/frechet_networks.py, torch {torch.__version__}, torchvision {torchvision.__version__}"}
        path.with_suffix(".json").write_text(json.dumps(manifest, indent=1) + "\n")
        save_file({"frames": seen, "features": out}, path.with_suffix(".safetensors"))


if __name__ == "__main__":
    main(sys.argv[1])
