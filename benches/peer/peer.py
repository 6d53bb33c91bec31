"""How fast `echoif` is beside PyTorch, on the same networks, in one run.

    pip install torch numpy pyyaml einops einops-exts tqdm safetensors
    pip install --no-deps imagen-pytorch==1.21.6
    cargo build --release
    python benches/peer/peer.py --echoif target/release/echoif
    python benches/peer/peer.py --echoif target/release/echoif --published 1scm

The network is the `Unet3D` of the PyPI package imagen-pytorch 1.21.6, which is the published one. The
two programs run in turn, `--rounds` times; what is printed for each quantity is the median of both and
the median of the rounds' ratios (ours / PyTorch's: below 1, ours is faster). `--published` takes a
published cascade's networks at full size with random weights, which take the same time as trained ones,
and on the CPU times single evaluations alone. `--device cuda` needs a GPU and a build with `--features
cuda`; `--precision` then says what both compute in: PyTorch runs eagerly, with or without TF32, or under
bfloat16 autocast.
"""
import argparse
import functools
import importlib
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import types

import torch
import torch.nn.functional as F
import yaml

PUBLISHED = {
    "1scm": dict(
        unets=[dict(dim=64, num_resnet_blocks=2, layer_cross_attns=[False, False, True], attend_at_middle=False)],
        image_sizes=[112], num_sample_steps=[64], temporal_downsample_factor=[1], S_churn=[160],
        dataset=dict(fps=8, duration=2.0, grayscale=False)),
    "2scm": dict(
        unets=[dict(dim=64, num_resnet_blocks=2, layer_cross_attns=[False, False, True], attend_at_middle=True),
               dict(dim=64, num_resnet_blocks=2, layer_cross_attns=[False, False, True], attend_at_middle=True,
                    memory_efficient=True)],
        image_sizes=[56, 112], num_sample_steps=[32, 64], temporal_downsample_factor=[4, 1], S_churn=[80, 160],
        resize_mode="trilinear", dataset=dict(fps=32, duration=2.0, grayscale=False)),
}
EVERY_UNET = dict(dim_mults=[1, 2, 4], max_text_len=1, layer_attns=False, cond_images_channels=3)
OPTIONS = ("dim", "dim_mults", "num_resnet_blocks", "resnet_groups", "max_text_len", "layer_attns",
           "layer_cross_attns", "cond_images_channels", "attend_at_middle", "memory_efficient", "attn_heads",
           "attn_dim_head", "attn_pool_num_latents", "resize_mode")


@functools.cache
def unet3d():
    """The class, without the package's text encoder and trainer, which need much that is not timed here."""
    spec = importlib.util.find_spec("imagen_pytorch")
    if spec is None:
        sys.exit("imagen-pytorch is not installed: pip install --no-deps imagen-pytorch==1.21.6")
    package = types.ModuleType("imagen_pytorch")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["imagen_pytorch"] = package
    t5 = types.ModuleType("imagen_pytorch.t5")
    t5.t5_encode_text, t5.get_encoded_dim, t5.DEFAULT_T5_NAME = None, (lambda name: 1), "none"
    sys.modules["imagen_pytorch.t5"] = t5
    video = importlib.import_module("imagen_pytorch.imagen_video")
    video.print_once = lambda *text: None
    # The same arithmetic in one call: PyTorch shall not lose by what it does not have to do.
    video.LayerNorm.forward = lambda self, x: F.layer_norm(
        x, (x.shape[-1],), self.g, None, 1e-5 if x.dtype == torch.float32 else 1e-3)
    return video.Unet3D


def per_stage(value, stage):
    return value[stage] if isinstance(value, list) else value


def weights(folder, stage):
    """A stage's tensors: from `merged.pt` as published, or from what `echoif import` wrote."""
    merged = os.path.join(folder, "merged.pt")
    if not os.path.exists(merged):
        from safetensors.torch import load_file
        return load_file(os.path.join(folder, f"unet{stage + 1}.safetensors"))
    model, prefix = torch.load(merged, weights_only=True, map_location="cpu")["model"], f"unets.{stage}."
    return {k[len(prefix):]: v for k, v in model.items() if k.startswith(prefix)}


class Peer:
    """A cascade of the published format in PyTorch."""

    def __init__(self, folder, device):
        with open(os.path.join(folder, "config.yaml")) as f:
            self.config = yaml.safe_load(f)
        imagen, self.device = self.config["imagen"], device
        make, channels = unet3d(), imagen.get("channels", 3)
        dataset = self.config["dataset"]
        frames = int(dataset["fps"] * dataset["duration"])
        self.stages = []
        for i, options in enumerate(self.config["unets"].values()):
            network = make(text_embed_dim=1, channels=channels, lowres_cond=i > 0,
                           **{k: v for k, v in options.items() if k in OPTIONS})
            network.load_state_dict(weights(folder, i))
            size = imagen["image_sizes"][i]
            f = frames // per_stage(imagen.get("temporal_downsample_factor", 1), i)
            self.stages.append((network.eval().to(device), (1, channels, f, size, size)))
        guidance = self.config["checkpoint"]["cond_scale"]
        self.guidance = [per_stage(guidance, i) for i in range(len(self.stages))]

    @torch.inference_mode()
    def evaluate(self, stage):
        """One denoising step of a stage: with guidance two passes, as published."""
        network, shape = self.stages[stage]
        options = list(self.config["unets"].values())[stage]
        x = torch.randn(shape, device=self.device)
        given = dict(text_embeds=torch.full((1, 1, 1), 0.3, device=self.device),
                     cond_images=torch.rand(1, options["cond_images_channels"], 112, 112, device=self.device))
        if stage > 0:
            given.update(lowres_cond_img=torch.randn(shape, device=self.device),
                         lowres_noise_times=torch.full((1,), 0.2, device=self.device))
        noise = torch.full((1,), 0.5, device=self.device)
        start = self.clock()
        out = network(x, noise, **given)
        if self.guidance[stage] != 1:
            null = network(x, noise, cond_drop_prob=1.0, **given)
            out = null + (out - null) * self.guidance[stage]
        (x * 0.5 + out * 0.5).clamp(-1, 1)
        return self.clock() - start

    def clock(self):
        if self.device != "cpu":
            torch.cuda.synchronize()
        return time.perf_counter()


def published(name, folder):
    """Writes a published cascade's configuration with random weights of its shapes."""
    torch.manual_seed(0)
    about, make, model, ema = PUBLISHED[name], unet3d(), {}, {}
    unets = [dict(EVERY_UNET, **unet) for unet in about["unets"]]
    for i, options in enumerate(unets):
        network = make(text_embed_dim=1, lowres_cond=i > 0, **options)
        for k, v in network.state_dict().items():
            model[f"unets.{i}.{k}"] = v
            ema[f"{i}.online_model.{k}"] = ema[f"{i}.ema_model.{k}"] = v
        ema[f"{i}.initted"], ema[f"{i}.step"] = torch.ones(1), torch.tensor([0])
    torch.save(dict(model=model, ema=ema, version="1.21.6"), os.path.join(folder, "merged.pt"))
    imagen = dict({k: v for k, v in about.items() if k not in ("unets", "dataset")}, elucidated=True,
                  condition_on_text=True, text_embed_dim=1, sigma_min=0.002, sigma_max=80, sigma_data=0.25,
                  rho=7, P_mean=-1.2, P_std=1.2, S_tmin=0.05, S_tmax=50, S_noise=1.003)
    config = dict(unets={f"unet{i + 1}": u for i, u in enumerate(unets)}, imagen=imagen,
                  dataset=about["dataset"], checkpoint=dict(cond_scale=5.0))
    with open(os.path.join(folder, "config.yaml"), "w") as f:
        yaml.safe_dump(config, f, sort_keys=False)


def ours(args, folder):
    command = [args.echoif, "bench", "--json", "--repeat", "3", "--device", args.device, "--cascade", folder]
    if args.device == "cuda":
        command += ["--precision", args.precision]
    elif args.published:
        command.append("--evaluations")
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"`{' '.join(command)}` failed: {done.stderr.strip()}")
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--echoif", required=True, help="the program, built with --release")
    parser.add_argument("--cascade", default="tests/pixel_cascade",
                        help="folder of a cascade of pixels, published or imported")
    parser.add_argument("--published", choices=sorted(PUBLISHED), help="a published cascade, random weights")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--precision", choices=("f32", "tf32", "bf16"), default="tf32", help="on a GPU")
    args = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = args.precision != "f32"
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.cascade
        if args.published:
            folder = scratch
            published(args.published, folder)
        measure(args, folder)


def measure(args, folder):
    peer = Peer(folder, args.device)
    times = {}

    def note(what, torch_seconds, our_seconds):
        times.setdefault(what, []).append((torch_seconds, our_seconds))

    repeat = 1 if args.published and args.device == "cpu" else 5
    for i in range(len(peer.stages)):
        peer.evaluate(i)
    half = args.device == "cuda" and args.precision == "bf16"
    for _ in range(args.rounds):
        with torch.autocast(args.device, torch.bfloat16, enabled=half):
            evaluation = [statistics.median(peer.evaluate(i) for _ in range(repeat)) for i in range(len(peer.stages))]
        bench = ours(args, folder)
        for e in bench["evaluations"]:
            name = f"stage {e['stage']}, one evaluation"
            note(name, evaluation[e["stage"] - 1], e["median_seconds"])
        for preset in bench["presets"]:
            if preset["median_seconds"] is not None:
                # What PyTorch would take for the same evaluations: its other costs are left out.
                passes = zip(preset["stage_evaluations"], evaluation)
                note(f"{preset['preset']}, same evaluations", sum(n * s for n, s in passes), preset["median_seconds"])
    print(f"{bench['cascade']} on {bench['device']}; PyTorch {torch.__version__}, {torch.get_num_threads()} threads")
    if bench["gpu_peak_memory_mb"] is not None:
        print(f"ours: at most {bench['gpu_peak_memory_mb']} MB of the GPU's memory; "
              f"PyTorch: {torch.cuda.max_memory_allocated() >> 20} MB")
    print(f"{'':46}{'PyTorch':>10}{'ours':>10}{'ratio':>8}")
    for what, pairs in times.items():
        a, b = (statistics.median(side) for side in zip(*pairs))
        ratio = statistics.median(ours / theirs for theirs, ours in pairs)
        print(f"{what:46}{1e3 * a:8.0f} ms{1e3 * b:8.0f} ms{ratio:8.2f}")


if __name__ == "__main__":
    main()
