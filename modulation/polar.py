"""Polar codes of 5G NR: CRC, interleavers, rate matching, successive cancellation and list decoding.

Layout and rate matching follow 3GPP TS 38.212, 5.3.1 and 5.4.1. Segmentation of long uplink messages into two
blocks (5.2.1) and the masking of a downlink CRC with an identity (7.3.2) are left to the caller.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation import crc as crc_module
from semwave.modulation import polar_design as layout

Array = npt.NDArray[Any]

LINKS = ("uplink", "downlink", "plain")
_GROUP = 16  # frames that successive cancellation takes together: polar_kernels.LANES


@dataclass(frozen=True)
class PolarResult:
    """``bits`` [..., k] uint8 and ``ok`` [...]: whether the CRC holds (None without a CRC)."""

    bits: Array
    ok: Any


@dataclass(frozen=True)
class PolarCode:
    """k message bits in n sent bits.

    ``link`` "uplink" is uplink control information (CRC of 11 bits, of 6 and parity-check bits for k < 20,
    coded bits interleaved, mother code up to 1024), "downlink" the broadcast and control channels (CRC24C,
    input interleaver, mother code up to 512), "plain" the code alone. ``crc`` replaces the check's name, ""
    means none. ``list_size`` 1 is successive cancellation. ``adaptive`` tries that first and lists only the
    frames whose CRC fails. Raise ValueError for lengths the standard has no code for.
    """

    k: int
    n: int
    link: str = "uplink"
    list_size: int = 8
    crc: str | None = None
    adaptive: bool = False

    def __post_init__(self) -> None:
        if self.link not in LINKS:
            raise ValueError(f"link must be one of {', '.join(LINKS)}, not {self.link!r}")
        if not 1 <= self.list_size <= 32:
            raise ValueError(f"list_size must be 1 to 32, not {self.list_size}")
        least = 12 if self.link == "uplink" else 1
        if self.k < least:
            raise ValueError(f"k must be {least} or more for {self.link} polar codes, not {self.k}")
        if self.n > 8192:
            raise ValueError(f"n must be at most 8192, not {self.n}")
        if self.adaptive and not self.crc_name:
            raise ValueError("adaptive decoding needs a crc, not ''")
        _ = self.design, self._order

    @cached_property
    def crc_name(self) -> str:
        """Check appended to the message, "" for none."""
        if self.crc is not None:
            return self.crc
        return {"uplink": "6" if self.k < 20 else "11", "downlink": "24C", "plain": ""}[self.link]

    @cached_property
    def k_crc(self) -> int:
        """Message bits and CRC bits: K of the standard."""
        return self.k + (crc_module.width(self.crc_name) if self.crc_name else 0)

    @cached_property
    def design(self) -> layout.Design:
        """Frozen, information and parity-check bits, and the order of sending."""
        uplink = self.link == "uplink"
        return layout.design(self.k_crc, self.n, 9 if self.link == "downlink" else 10, uplink, uplink)

    @cached_property
    def _order(self) -> Array:
        return layout.input_order(self.k_crc) if self.link == "downlink" else np.arange(self.k_crc)

    @cached_property
    def _info(self) -> Array:
        return np.flatnonzero(self.design.kinds == layout.INFO)

    @cached_property
    def _has_parity(self) -> bool:
        return bool((self.design.kinds == layout.PARITY).any())

    @cached_property
    def _program(self) -> Array:
        from semwave.modulation.polar_kernels import compile_program

        return compile_program(self.design.kinds)

    @cached_property
    def _syndromes(self) -> Array:
        """Remainder that each bit, in the order of decoding, adds to the CRC: [K] uint32, zero without a CRC."""
        if not self.crc_name:
            return np.zeros(self.k_crc, np.uint32)
        rows = np.eye(self.k_crc, dtype=np.uint8)
        if crc_module.compute(rows[:1] * 0, self.crc_name).any():
            raise ValueError(f"crc must start from zero to help a list decoder, not {self.crc_name!r}")
        parity = crc_module.compute(rows, self.crc_name).astype(np.uint32)
        powers = np.arange(parity.shape[1], dtype=np.uint32)
        return (parity << powers).sum(axis=1, dtype=np.uint32)[self._order]

    def encode(self, bits: npt.ArrayLike) -> Array:
        """Encode each row: [..., k] uint8 0/1 -> [..., n] uint8."""
        array = np.asarray(bits, np.uint8)
        if array.ndim == 0 or array.shape[-1] != self.k:
            raise ValueError(f"bits must have {self.k} in the last axis, not shape {array.shape}")
        from semwave.modulation.polar_messages import transform_rows

        message = crc_module.append(array, self.crc_name) if self.crc_name else array
        message = message.reshape(-1, self.k_crc)[:, self._order]
        u = np.zeros((message.shape[0], self.design.size), np.uint8)
        if self._has_parity:
            _insert_with_parity(message, self.design.kinds, u)
        else:
            u[:, self._info] = message
        transform_rows(u)
        return np.take(u, self.design.place, axis=1).reshape(*array.shape[:-1], self.n)

    def decode(self, llr: npt.ArrayLike) -> PolarResult:
        """Decode each row: [..., n] LLR, positive for 1, any scale -> bits [..., k] and CRC verdicts [...].

        Raise ValueError for another length or a NaN.
        """
        array = np.asarray(llr, np.float32)
        if array.ndim == 0 or array.shape[-1] != self.n:
            raise ValueError(f"llr must have {self.n} in the last axis, not shape {array.shape}")
        rows = np.ascontiguousarray(array.reshape(-1, self.n))
        frames = rows.shape[0]
        message, good = np.empty((frames, self.k_crc), np.uint8), np.zeros(frames, np.bool_)
        if (self.list_size == 1 or self.adaptive) and not self._has_parity:
            values = self._recover(rows, -(-frames // _GROUP) * _GROUP)
            self._cancel(values, message, good)
            if self.list_size > 1:
                failed = np.flatnonzero(~good)
                again, verdict = message[failed], good[failed]
                self._list(values[failed], again, verdict)
                message[failed], good[failed] = again, verdict
        else:
            self._list(self._recover(rows, frames), message, good)
        out = np.empty_like(message)
        out[:, self._order] = message
        ok = None if not self.crc_name else good.reshape(array.shape[:-1]) if array.ndim > 1 else bool(good[0])
        return PolarResult(out[:, : self.k].reshape(*array.shape[:-1], self.k), ok)

    def _recover(self, rows: Array, frames: int) -> Array:
        """Undo rate matching, with rows of zeros up to ``frames``: [any, n] LLR -> [frames, N] ln P(0) / P(1)."""
        from semwave.modulation.polar_messages import recover
        from semwave.modulation.threads import split

        design = self.design
        values, good = np.zeros((frames, design.size), np.float32), []

        def work(first: int, last: int) -> None:
            good.append(recover(rows[first:last], design.place, design.shortened, values[first:last]))

        split(rows.shape[0], 64, work)
        if not all(good):
            raise ValueError("llr must not hold NaN")
        return values

    def _cancel(self, values: Array, message: Array, good: Array) -> None:
        from semwave.modulation import polar_kernels as kernels
        from semwave.modulation.polar_messages import finish_sc
        from semwave.modulation.threads import split

        frames, size = good.size, values.shape[1]
        words = np.empty(values.shape, np.uint8)
        tables = self._program, self._info, self._syndromes

        def work(first: int, last: int) -> None:
            lo, hi = first * kernels.LANES, min(last * kernels.LANES, frames)
            part = slice(lo, last * kernels.LANES)
            kernels.decode_sc(values[part].reshape(-1), tables[0], size, words[part].reshape(-1))
            finish_sc(words[lo:hi], tables[1], tables[2], message[lo:hi], good[lo:hi])

        split(values.shape[0] // kernels.LANES, 4, work)

    def _list(self, values: Array, message: Array, good: Array) -> None:
        from semwave.modulation.polar_list_kernels import decode_list
        from semwave.modulation.threads import split

        tables = self._program, self._info, self._syndromes, self.list_size, self._has_parity

        def work(first: int, last: int) -> None:
            part = slice(first, last)
            decode_list(values[part], *tables, message[part], good[part])

        split(values.shape[0], 8, work)


def _insert_with_parity(message: Array, kinds: Array, u: Array) -> None:
    """Place message bits and compute parity-check bits with the 5-bit register of 5.3.1.2, all rows at once."""
    register, next_bit = np.zeros((5, message.shape[0]), np.uint8), 0
    for i, kind in enumerate(kinds):
        register = np.roll(register, -1, axis=0)
        if kind == layout.PARITY:
            u[:, i] = register[0]
        elif kind == layout.INFO:
            u[:, i] = message[:, next_bit]
            register[0] ^= u[:, i]
            next_bit += 1
