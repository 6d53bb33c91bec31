"""How long a training step of the built-in stage takes beside PyTorch, on the same cores, in one run.

    pip install torch numpy pyyaml einops einops-exts tqdm safetensors
    pip install --no-deps imagen-pytorch==1.21.6
    cargo build --release
    python benches/peer/train.py --echoif target/release/echoif

A step is forward, loss, backward, the gradient's norm cut at 1, Adam and the average of the weights, of `--batch`
samples. PyTorch is handed its samples, ready; `echoif train` makes them within its step, and its time says so. Both run
in turn, `--rounds` times, with `--threads` threads; what is printed are medians, and the medians of the rounds' ratios
(ours / PyTorch's: below 1, ours is faster), then the most memory of each process.
"""
import argparse
import importlib.util
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import torch
import torch.nn as nn
import torch.nn.functional as F
import yaml
from safetensors.torch import load_file

HERE = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location("peer", os.path.join(HERE, "peer.py"))
peer = importlib.util.module_from_spec(spec)
spec.loader.exec_module(peer)


def block(inputs, outputs, stride=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1), nn.GroupNorm(8, outputs), nn.SiLU())


class Encoder(nn.Module):
    """What reads the anatomy and the EF: by its description in the documentation, with the shipped weights' names."""

    def __init__(self, width, embedding, features):
        super().__init__()
        w = width
        self.e = nn.Sequential(nn.Linear(8, embedding), nn.SiLU(), nn.Linear(embedding, embedding), nn.SiLU())
        self.stem, self.d1, self.d1b = block(6, w), block(w, 2 * w, 2), block(2 * w, 2 * w)
        self.d2, self.d2b = block(2 * w, 3 * w, 2), block(3 * w, 3 * w)
        self.d3, self.d3b, self.m = block(3 * w, 4 * w, 2), block(4 * w, 4 * w), block(4 * w, 4 * w)
        self.f3, self.f2, self.f1 = (nn.Linear(embedding, n * w) for n in (8, 6, 6))
        self.att = nn.Linear(4 * w, 4 * w)
        self.u2, self.u2b = block(7 * w, 3 * w), block(3 * w, 3 * w)
        self.u1, self.u1b = block(5 * w, 3 * w), block(3 * w, 3 * w)
        self.out = nn.Conv2d(3 * w, features, 1)

    def forward(self, anatomy, ef):
        waves = [torch.sin(k * 3.14 * ef) for k in range(1, 6)]
        told = self.e(torch.stack([ef, ef ** 2, ef ** 0.5, *waves], 1))

        def hear(x, layer):
            scale, shift = layer(told)[..., None, None].chunk(2, 1)
            return x * (1 + scale) + shift

        def twice(x):
            return F.interpolate(x, scale_factor=2, mode="bilinear")

        n = anatomy.shape[-1] // 2
        y, x = torch.meshgrid(*[torch.linspace(-1, 1, n)] * 2, indexing="ij")
        place = torch.stack([x, y])[None].expand(len(anatomy), -1, -1, -1)
        quarter = self.d1b(self.d1(self.stem(torch.cat([F.pixel_unshuffle(anatomy, 2) * 2 - 1, place], 1))))
        eighth = self.d2b(self.d2(quarter))
        h = self.m(hear(self.d3b(self.d3(eighth)), self.f3))
        h = h + self.att(h.mean((2, 3)))[..., None, None]
        h = self.u2b(hear(self.u2(torch.cat([twice(h), eighth], 1)), self.f2))
        return self.out(self.u1b(hear(self.u1(torch.cat([twice(h), quarter], 1)), self.f1)))


class Stage(nn.Module):
    def __init__(self, folder):
        super().__init__()
        with open(os.path.join(folder, "config.yaml")) as f:
            config = yaml.safe_load(f)
        options = config["unets"]["unet1"]
        encoder = options["encoder"]
        self.sigma_data = config["imagen"]["sigma_data"]
        self.enc = Encoder(encoder["width"], encoder["embedding"], encoder["features"])
        self.unet = peer.unet3d()(text_embed_dim=1, channels=options["channels"], lowres_cond=False,
                                  **{k: v for k, v in options.items() if k in peer.OPTIONS})
        self.load_state_dict(load_file(os.path.join(folder, "unet1.safetensors")))

    def forward(self, x, sigma, anatomy, ef):
        s, d = sigma.view(-1, 1, 1, 1, 1), self.sigma_data
        root = (s ** 2 + d ** 2).sqrt()
        out = self.unet(x / root, sigma.log() / 4, text_embeds=ef.view(-1, 1, 1),
                        cond_images=self.enc(anatomy, ef), cond_drop_prob=0.1)
        return d ** 2 / root ** 2 * x + s * d / root * out


def torch_steps(folder, batch, steps, half):
    """Seconds of each step."""
    torch.manual_seed(0)
    net = Stage(folder).train()
    adam = torch.optim.Adam(net.parameters(), lr=1e-4, betas=(0.9, 0.99))
    average = [p.detach().clone() for p in net.parameters()]
    anatomy, motion = torch.rand(batch, 1, 112, 112), torch.randn(batch, 3, 16, 28, 28)
    ef, d, times = torch.rand(batch) * 0.78 + 0.06, net.sigma_data, []
    for _ in range(steps):
        start = time.perf_counter()
        sigma = (3.4 + 1.4 * torch.randn(batch)).exp()
        noised = motion + sigma.view(-1, 1, 1, 1, 1) * torch.randn_like(motion)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            out = net(noised, sigma, anatomy, ef)
        weight = (sigma ** 2 + d ** 2) / (sigma * d) ** 2
        loss = (((out.float() - motion) ** 2).mean((1, 2, 3, 4)) * weight).mean()
        adam.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        adam.step()
        with torch.no_grad():
            torch._foreach_lerp_(average, list(net.parameters()), 0.01)
        times.append(time.perf_counter() - start)
    return times


def in_its_own(args, half):
    """PyTorch's steps in a process of their own, so that its memory is its own: (seconds a step, megabytes)."""
    command = [sys.executable, __file__, "--echoif", args.echoif, "--cascade", args.cascade, "--batch", str(args.batch),
               "--steps", str(args.steps), "--threads", str(args.threads), "--torch", "bf16" if half else "f32"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    return said["seconds"], said["megabytes"]


def ours(args):
    """(seconds a step, megabytes)"""
    with tempfile.TemporaryDirectory() as scratch:
        config = os.path.join(scratch, "c.yaml")
        with open(config, "w") as f:
            f.write(f"steps: {args.steps}\nbatch: {args.batch}\n")
        environment = dict(os.environ, RAYON_NUM_THREADS=str(args.threads))
        command = [args.echoif, "train", "--config", config, "--out", os.path.join(scratch, "run"), "--json"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
        out = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        if status != 0:
            sys.exit(f"`{' '.join(command)}` failed")
        return json.loads(out)["seconds_a_step"], used.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--echoif", required=True, help="the program, built with --release")
    parser.add_argument("--cascade", default="weights/cascade", help="folder of the built-in cascade")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--torch", choices=("f32", "bf16"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if args.torch:
        times = torch_steps(args.cascade, args.batch, args.steps, args.torch == "bf16")
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(dict(seconds=statistics.median(times[1:]), megabytes=memory)))
        return
    rounds = []
    for _ in range(args.rounds):
        rounds.append((in_its_own(args, False), in_its_own(args, True), ours(args)))
    print(f"a step of {args.batch} on {args.threads} threads; PyTorch {torch.__version__}")
    print(f"{'':16}{'PyTorch':>10}{'ours':>10}{'ratio':>8}{'PyTorch':>12}{'ours':>10}")
    for name, of in (("f32", 0), ("bfloat16", 1)):
        theirs, own = ([r[i] for r in rounds] for i in (of, 2))
        ratio = statistics.median(o[0] / t[0] for t, o in zip(theirs, own))
        seconds = [statistics.median(v[0] for v in side) for side in (theirs, own)]
        memory = [max(v[1] for v in side) for side in (theirs, own)]
        print(f"{name:16}{seconds[0]:8.2f} s{seconds[1]:8.2f} s{ratio:8.2f}{memory[0]:9.0f} MB{memory[1]:7.0f} MB")


if __name__ == "__main__":
    main()
