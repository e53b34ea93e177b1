"""The scores of a delivered picture, by name: those of :mod:`semwave.bench.metrics`, whole or in the key region."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.sweep.errors import SweepError

Array = NDArray[Any]
DEFAULT = ("psnr", "ssim", "ms_ssim", "vsi", "lpips", "dists", "psnr_key", "ssim_key")
KEY = "_key"
KNOWN = (
    "psnr", "ssim", "ms_ssim", "ms_ssim_product", "vsi", "vsi_authors", "lpips", "dists", "hallucination",
)  # fmt: skip
CAP_DB = 100.0  # equal pictures have no finite PSNR; a mean needs a number


def default() -> tuple[str, ...]:
    """What is measured where a sweep does not say: all whose weights are there."""
    from semwave.bench.weights import missing

    return tuple(n for n in DEFAULT if n != "dists" or not missing())


def check(names: Iterable[str]) -> list[str]:
    """The names as a list; raises SweepError for an empty one or one twice."""
    found = list(names)
    unknown = [n for n in found if isinstance(n, str) and n.removesuffix(KEY) not in KNOWN]
    if unknown:
        raise SweepError(f"metrics must be of {', '.join(KNOWN)}, each also as NAME{KEY}, not {unknown[0]!r}")
    if any(n.removesuffix(KEY) == "dists" for n in found if isinstance(n, str)):
        from semwave.bench.weights import need

        need()
    if not found or len(set(found)) != len(found) or not all(isinstance(n, str) for n in found):
        raise SweepError(f"metrics must be different names such as {', '.join(DEFAULT)}, not {found}")
    return found


def scores(names: Iterable[str], sent: Array, got: Array, region: Callable[[], Array]) -> dict[str, float | None]:
    """Scores of uint8 pictures [row, column, 3] by name; ``region`` gives the key region when a name asks for it.

    None where a score is not defined (a picture too small, no key region).
    """
    found: dict[str, float | None] = {}
    for name in names:
        mask = region() if name.endswith(KEY) else None
        value = None if mask is not None and not mask.any() else _one(name.removesuffix(KEY), sent, got, mask)
        for part, number in (value if isinstance(value, Mapping) else {name: value}).items():
            found[part] = None if number is None else min(float(number), CAP_DB)
    return found


def _one(name: str, sent: Array, got: Array, mask: Array | None) -> Any:
    from semwave.bench import metrics

    function = getattr(metrics, name, None)
    if function is None:
        raise SweepError(f"metric {name!r} is not in semwave.bench.metrics")
    try:
        value = function(sent, got) if mask is None else function(sent, got, mask)
    except ValueError as error:
        if min(sent.shape[:2]) < 176:  # MS-SSIM and the deep ones need some size
            return None
        raise SweepError(f"{name}: {error}") from error
    if isinstance(value, Mapping):
        return {f"{name}_{k}": v for k, v in value.items() if isinstance(v, (int, float))}
    return float(value) if np.ndim(value) == 0 else float(np.mean(np.asarray(value)))
