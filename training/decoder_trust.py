"""Fit the weights of semwave.models.trust to training pictures, and check them on held-out ones.

    python training/decoder_trust.py --data DIR

Prints the weights per decoder, to be put into trust.WEIGHTS, and how often pixels of each confidence are right.
"""

from __future__ import annotations

import argparse
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from decoder import random_mask
from decoder_data import load
from numpy.typing import NDArray

from semwave.models import trust
from semwave.models.describe import describe
from semwave.models.generate import GenerativeDecoder, Received, gather, load_decoder
from semwave.models.sketch import decode_sketch, encode_sketch

Array = NDArray[Any]
RIGHT, PIXELS = 0.1, 300


def observe(decoder: GenerativeDecoder, pictures: Array, count: int, seed: int) -> tuple[Array, Array]:
    """Features [n, 9] and rightness [n] of pixels of the rest, of ``count`` pictures with random layers."""
    rng, features, right = np.random.default_rng(seed), [], []
    for index in rng.integers(0, len(pictures), count):
        image = np.ascontiguousarray(pictures[index])
        mask = random_mask(rng, image.shape[0])
        text = str(describe(image, mask)) if rng.random() < 0.75 else None
        size = int(rng.choice([0, 0, 16, 32, 48, 64]))
        drawn = decode_sketch(encode_sketch(image, mask, size), image.shape)
        scene = Received(image.shape, image, mask, text, drawn)
        known = gather(scene)
        (made,) = decoder.decode([scene], [int(index)])
        added = made.image / np.float32(255.0) - known.picture
        measured = trust.measure(mask, added, known.textures, known.sketch, known.base is not None)
        at = rng.choice(np.flatnonzero(~mask.ravel()), PIXELS)
        features.append(np.stack([np.broadcast_to(m, mask.shape).ravel()[at] for m in measured], axis=1))
        error = np.sqrt(np.mean((made.image / 255.0 - image / 255.0) ** 2, axis=2)).ravel()
        right.append(error[at] < RIGHT)
    return np.concatenate(features).astype(np.float64), np.concatenate(right)


def fit(features: Array, right: Array) -> Array:
    """Logistic regression by Newton's method, a little ridge against features that never vary."""
    weights = np.zeros(features.shape[1])
    for _ in range(25):
        chance = 1.0 / (1.0 + np.exp(-features @ weights))
        slope = features.T @ (right - chance) - 1.0 * weights
        bend = (features * (chance * (1 - chance))[:, None]).T @ features + np.eye(len(weights))
        weights += np.linalg.solve(bend, slope)
    return weights


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path(".cache"))
    parser.add_argument("--pictures", type=int, default=240)
    parser.add_argument("--decoders", nargs="+", default=list(trust.WEIGHTS))
    args = parser.parse_args()
    for name in args.decoders:
        decoder = load_decoder(name)
        weights = fit(*observe(decoder, load(args.data, args.cache, 192), args.pictures, 1))
        features, right = observe(decoder, load(args.data, args.cache, 192, True), args.pictures // 2, 2)
        chance = 1.0 / (1.0 + np.exp(-features @ weights))
        print(json.dumps({"decoder": name, "weights": [round(float(w), 3) for w in weights]}))
        edges = np.quantile(chance, np.linspace(0, 1, 6))
        for low, high in pairwise(edges):
            inside = (chance >= low) & (chance <= high)
            said, was = float(chance[inside].mean()), float(right[inside].mean())
            print(json.dumps({"decoder": name, "confidence": round(said, 3), "right": round(was, 3)}))


if __name__ == "__main__":
    main()
