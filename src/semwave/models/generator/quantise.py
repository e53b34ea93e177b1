"""A network in 8 or 4 bits on loading: see semwave.models.light."""

from __future__ import annotations

from typing import Any

BITS = (8, 4)


def check_bits(bits: int | None) -> None:
    """Raises ValueError for bits other than None, 8, 4."""
    if bits not in (None, *BITS):
        raise ValueError(f"bits must be None, 8 or 4, not {bits}")


def quantise(network: Any, bits: int, device: str = "cpu") -> Any:
    """``network`` with its large layers in 8 bits (int8) or 4 bits (NF4), in place, on ``device``."""
    from semwave.models.light.quantise import quantise as carry_out

    check_bits(bits)
    return carry_out(network, bits, device=device)
