"""What the semantic encoder and decoder cost a pixel, beside learned image codecs of CompressAI where it is installed.

    python benchmarks/semantic_cost.py [--quick] [--threads 2]

A photograph of 512x768, CBR 1/16 at 10 dB, float32 on the CPU. Ours is all of it, at both ends: transform, classes,
prices, range coder and network. The peers are their networks alone (analysis, hyperprior, synthesis, with random
weights: the cost does not depend on them), without their range coder, channel coding or modulation, so they are
flattered. ``macs`` are multiplications with an addition, of convolutions and matrix products in torch.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _report import best_seconds, emit
from PIL import Image

from semwave.models.jscc import Jscc, bits_per_symbol

ROOT = Path(__file__).resolve().parents[1]
SIZE = (512, 768)
PEERS = (("bmshj2018-hyperprior", 4), ("mbt2018", 4), ("cheng2020-attn", 4))  # as CompressAI's zoo names them, quality


def ours(image: Any) -> Callable[[], Any]:
    """Encoding, 10 dB of white noise, decoding."""
    codec, efficiency = Jscc.load(), bits_per_symbol(10)
    rng = np.random.default_rng(1)

    def work() -> Any:
        sent = codec.encode(image, None, image.size // 16, 10, side_efficiency=efficiency)
        noise = rng.standard_normal((sent.symbols.size, 2), np.float32).view(np.complex64)[:, 0]
        received = sent.symbols + noise * np.float32(np.sqrt(0.05))
        return codec.decode(sent.side, received, np.full(received.size, 0.1, np.float32), image.shape[:2], None)

    return work


def peers() -> dict[str, Any]:
    """The networks that CompressAI has; none where it is not installed."""
    try:
        from compressai.zoo import image_models
    except ImportError as error:
        print(f"peers left out: {error}", file=sys.stderr)
        return {}
    return {name: image_models[name](quality=quality, pretrained=False).eval() for name, quality in PEERS}


def macs(work: Callable[[], Any]) -> float:
    """Multiplications with addition in torch."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops() / 2


def main() -> None:
    """One line a codec."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="ours alone")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    with Image.open(ROOT / "recordings/images/china.jpg") as picture:
        image = np.asarray(picture.convert("RGB").resize(SIZE[::-1]), np.float32) / 255
    pixels = SIZE[0] * SIZE[1]
    mine = ours(image)
    seconds, operations = best_seconds(mine), macs(mine)
    found = {} if args.quick else peers()
    if not found:
        emit("semantic_cost", "time", 1e6 * seconds / pixels, "us/pixel")
        emit("semantic_cost", "macs", operations / pixels, "MAC/pixel")
    x_B3HW = torch.from_numpy(image).permute(2, 0, 1)[None].contiguous()
    for name, net in found.items():
        peer_operations = macs(lambda net=net: net(x_B3HW))  # the counter follows modules by their gradients
        with torch.inference_mode():
            peer_seconds = best_seconds(lambda net=net: net(x_B3HW))
        emit("semantic_cost", "time", 1e6 * seconds / pixels, "us/pixel", name, 1e6 * peer_seconds / pixels)
        emit("semantic_cost", "macs", operations / pixels, "MAC/pixel", name, peer_operations / pixels)


if __name__ == "__main__":
    main()
