"""Captioners by name: the own one, those of the hub, words that the user wrote, or none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import NDArray

from semwave.models.text.captioner import Said

Array = NDArray[Any]
Captioner = Callable[[Sequence[Array], Sequence[Array | None]], list[Said]]
"""What is said of the rest of pictures, uint8 [height, width, 3], outside their key regions, bool [height, width]."""


def check(spec: str) -> tuple[str, str]:
    """Kind (own, hub, off, text) and what follows the colon. Raises ValueError for anything else."""
    kind, _, rest = spec.partition(":")
    if (kind in ("own", "off") and spec == kind) or (kind in ("hub", "text") and rest.strip()):
        return kind, rest.strip()
    raise ValueError(f"caption must be own, off, hub:ID-OR-FOLDER or text:WORDS, not {spec!r}")


def load_captioner(spec: str, device: str = "cpu") -> Captioner:
    """The captioner that ``spec`` names; "off" says nothing. Raises ValueError for another name, OSError for a model of
    the hub that cannot be had.
    """
    kind, rest = check(spec)
    if kind == "own":
        from semwave.models.text.captioner import load_own

        return load_own(device)
    if kind == "hub":
        from semwave.models.text.hub import HubCaptioner

        return HubCaptioner(rest, device)
    return lambda images, regions: [Said(rest) for _ in images]
