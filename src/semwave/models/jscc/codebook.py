"""Classes of blocks: each has a basis of its own and knows the variance of every coefficient.

A mixture of zero-mean Gaussians over cosine coefficients, trained by hard expectation-maximisation. Variances are kept
as whole quarter octaves, so that sender and receiver sort them alike on every machine.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.models.jscc import blocks

Array = NDArray[Any]

FORMAT = "semwave-semantic-classes-1"
OCTAVE = 4  # levels
MEANS = 3  # the first coefficients: block means of the three colours


@dataclass(frozen=True)
class Codebook:
    """What both ends know."""

    bases: Array  # float32 [K, low, low]
    levels: Array  # int16 [K, 768]: round(4 log2(variance)) of means, low and other coefficients
    prior: Array  # float32 [K]
    beside: Array  # float32 [K, K]: probability of a class beside one (row) on the left or above
    order: Array  # int16 [768]: where the coefficients lie in a block of cosines

    @property
    def classes(self) -> int:
        return len(self.bases)

    @property
    def low(self) -> slice:
        """The coefficients that a class's basis turns."""
        return slice(MEANS, MEANS + self.bases.shape[1])

    def turn(self, cosines: Array, classes: Array, back: bool = False, squared: bool = False) -> Array:
        """Into the bases of the classes, or back: [n, 768] -> [n, 768]; ``squared`` for variances."""
        out = cosines.copy()
        for k in np.unique(classes):
            rows = classes == k
            basis = np.square(self.bases[k]) if squared else self.bases[k]
            out[rows, self.low] = cosines[rows, self.low] @ (basis.T if back else basis)
        return out

    def costs(self, cosines: Array, weights: Array) -> Array:
        """Sum over coefficients of weight times square in each class: [n, 768], [K, 768] -> float32 [n, K]."""
        out = np.empty((len(cosines), self.classes), np.float32)
        low = cosines[:, self.low]
        rest = np.square(cosines[:, self.low.stop :])
        for k in range(self.classes):
            turned = low @ (self.bases[k] * np.sqrt(weights[k, self.low]))
            out[:, k] = np.einsum("nd,nd->n", turned, turned) + rest @ weights[k, self.low.stop :]
        return out


def variance(levels: Array) -> Array:
    """Quarter octaves to variances."""
    return np.exp2(np.asarray(levels, np.float64) / OCTAVE)


@lru_cache(maxsize=4)
def load(path: Path) -> Codebook:
    """Read a codebook.

    Raises:
        ValueError: a file of another format or of impossible sizes.
    """
    from safetensors import safe_open

    with safe_open(path, "numpy") as file:
        found = (file.metadata() or {}).get("format")
        if found != FORMAT:
            raise ValueError(f"{path.name} must be of format {FORMAT}, not {found}")
        parts = {name: file.get_tensor(name) for name in ("bases", "levels", "prior", "beside", "order")}
    count = len(parts["bases"])
    if parts["levels"].shape != (count, blocks.LENGTH) or parts["order"].shape != (blocks.LENGTH,):
        raise ValueError(f"{path.name} must have {blocks.LENGTH} levels a class, not {list(parts['levels'].shape)}")
    parts["bases"] = parts["bases"].astype(np.float32)
    return Codebook(**parts)
