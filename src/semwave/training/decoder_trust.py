"""Fit the weights of semwave.models.trust to training pictures, and check them on held-out ones.

    python -m semwave.training.decoder_trust --data DIR

Prints the weights per decoder, for trust.WEIGHTS, and how often held-out pixels of each confidence are right.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.models import trust
from semwave.models.generate import GenerativeDecoder, gather, load_decoder
from semwave.training import decoder_data

Array = NDArray[Any]
RIGHT, PIXELS = 0.1, 300


def observe(decoder: GenerativeDecoder, examples: decoder_data.Examples, numbers: Sequence[int]) -> tuple[Array, Array]:
    """Features [n, 10] and rightness [n] of pixels of the rest, of photographs with random layers."""
    features, right = [], []
    for number in numbers:
        image, scene, rng = examples.scene(number)
        known = gather(scene)
        (made,) = decoder.decode([scene], [number])
        measured = trust.measure(known, made.image / np.float32(255.0) - known.picture)
        rest = np.flatnonzero(~known.mask.ravel())
        if rest.size:
            at = rng.choice(rest, PIXELS)
            features.append(np.stack([np.broadcast_to(m, known.mask.shape).ravel()[at] for m in measured], axis=1))
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


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pictures", type=int, default=240)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--decoders", nargs="+", default=["classical", "texture", "flow"])
    args = parser.parse_args(argv)
    train = decoder_data.Examples(decoder_data.photos(args.data), args.seed)
    held = decoder_data.Examples(decoder_data.photos(args.data, held_out=True), args.seed + 1)
    for name in args.decoders:
        decoder = load_decoder(name)
        weights = fit(*observe(decoder, train, range(args.pictures)))
        print(json.dumps({"decoder": name, "weights": [round(float(w), 3) for w in weights]}), flush=True)
        features, right = observe(decoder, held, range(args.pictures // 2))
        chance = 1.0 / (1.0 + np.exp(-features @ weights))
        edges = np.quantile(chance, np.linspace(0, 1, 6))
        for low, high in pairwise(edges):
            inside = (chance >= low) & (chance <= high)
            said, was = float(chance[inside].mean()), float(right[inside].mean())
            print(json.dumps({"decoder": name, "confidence": round(said, 3), "right": round(was, 3)}), flush=True)


if __name__ == "__main__":
    main()
