"""The 28 sample types of SigMF: to complex64 in one pass, and back for the writer."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.recording.errors import RecordingError

Array = npt.NDArray[Any]

_PATTERN = re.compile(r"(?P<real>[cr])(?P<kind>[fiu])(?P<bits>8|16|32|64)(?:_(?P<order>le|be))?")
_SIZES = {"f": ("32", "64"), "i": ("8", "16", "32"), "u": ("8", "16", "32")}
BLOCK = 1 << 14  # components converted at once: the block and its result stay in the second-level cache

DATATYPES = tuple(
    f"{c}{kind}{bits}" + (f"_{order}" if order else "")
    for c in "cr"
    for kind, sizes in _SIZES.items()
    for bits in sizes
    for order in (("le", "be") if bits != "8" else ("",))
)


@dataclass(frozen=True)
class Datatype:
    """One sample type: ``name`` as SigMF spells it, ``dtype`` of a component, 1 or 2 ``components`` a sample."""

    name: str
    dtype: np.dtype[Any]
    components: int

    @property
    def is_complex(self) -> bool:
        """Whether a sample has I and Q."""
        return self.components == 2

    @property
    def is_integer(self) -> bool:
        """Whether samples are fixed point, scaled so that full scale is 1."""
        return self.dtype.kind in "iu"

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample of one channel."""
        return self.dtype.itemsize * self.components

    @property
    def full_scale(self) -> float:
        """The stored value that is read as 1.0: 2^(bits - 1), and 1 for floats."""
        return float(1 << (8 * self.dtype.itemsize - 1)) if self.is_integer else 1.0

    @property
    def direct(self) -> bool:
        """Whether the bytes of a file are complex64 as they stand."""
        return self.is_complex and self.dtype == np.dtype("=f4")


@lru_cache(maxsize=64)
def parse_datatype(name: str) -> Datatype:
    """``core:datatype`` as a :class:`Datatype`; also ``cf32`` (read as little-endian) and ``ci8_le``.

    Raises RecordingError naming the 28 types for anything else (f16, packed 12 and 24 bit are not in SigMF).
    """
    match = _PATTERN.fullmatch(name)
    if match is None or match["bits"] not in _SIZES[match["kind"]]:
        raise RecordingError(
            f"core:datatype must be c or r, then f32, f64, i32, i16, u32 or u16 with _le or _be, or i8 or u8 "
            f"(such as cf32_le, ri16_be, cu8), not {name!r}"
        )
    real, kind, size, order = match["real"], match["kind"], int(match["bits"]) // 8, match["order"] or "le"
    proper = f"{real}{kind}{match['bits']}" + ("" if size == 1 else f"_{order}")
    dtype = np.dtype(f"{'<' if order == 'le' else '>'}{kind}{size}")
    return Datatype(proper, dtype, 2 if real == "c" else 1)


def to_complex64(raw: Array, datatype: Datatype, out: Array, *, gain: float) -> None:
    """Stored components `[n, components]` (any byte order and stride) times ``gain`` into ``out`` `[n]` complex64.

    Unsigned types lose their midpoint 2^(bits - 1) first. One pass over cache-sized blocks.
    """
    if raw.strides[0] == raw.shape[1] * raw.itemsize:
        target = out.view(np.float32) if datatype.is_complex else None
        flat = raw.reshape(-1)
        if target is not None:
            _scale(flat, datatype, target, gain)
            return
    for part in range(datatype.components):
        _scale(raw[:, part], datatype, out.imag if part else out.real, gain)
    if not datatype.is_complex:
        out.imag = 0


def _scale(raw: Array, datatype: Datatype, out: Array, gain: float) -> None:
    """One component: out = (raw - midpoint) * gain."""
    unsigned, factor = datatype.dtype.kind == "u", np.float32(gain)
    native = raw.dtype.newbyteorder("=")
    signed = np.dtype(f"=i{raw.itemsize}")
    top = native.type(1 << (8 * raw.itemsize - 1)) if unsigned else None
    with np.errstate(over="ignore", invalid="ignore"):
        for at in range(0, raw.size, BLOCK):
            block = raw[at : at + BLOCK]
            if top is not None:  # flipping the top bit is subtracting the midpoint, without leaving the integers
                block = np.bitwise_xor(block, top, dtype=native).view(signed)
            if raw.itemsize == 8:
                np.multiply(block, float(gain), out=out[at : at + BLOCK], dtype=np.float64, casting="same_kind")
            else:
                np.multiply(block, factor, out=out[at : at + BLOCK], dtype=np.float32, casting="same_kind")


def from_complex64(samples: Array, datatype: Datatype, *, scale: float = 1.0) -> tuple[Array, int]:
    """Samples `[n]` or `[n, channels]` times ``scale`` as stored bytes `[bytes]` uint8; how many components clipped.

    Integers are rounded to nearest, full scale 1.0 is 2^(bits - 1), and what lies beyond saturates (NaN becomes 0).
    """
    x = np.ascontiguousarray(samples, np.complex64)
    parts = x.view(np.float32).reshape(-1) if datatype.is_complex else np.ascontiguousarray(x.real).reshape(-1)
    if not datatype.is_integer:
        scaled = parts if scale == 1.0 else parts * np.float32(scale)
        return scaled.astype(datatype.dtype, copy=False).view(np.uint8), 0
    out, clipped = np.empty(parts.size, datatype.dtype), 0
    wide = np.dtype(np.float64 if datatype.dtype.itemsize == 4 else np.float32)
    factor, half = wide.type(scale * datatype.full_scale), wide.type(datatype.full_scale)
    for at in range(0, parts.size, BLOCK):
        value: Array = np.multiply(parts[at : at + BLOCK], factor, dtype=wide)
        np.rint(value, out=value)
        if not (value.max() <= half - 1 and value.min() >= -half):  # NaN ends up here as well
            clipped += _saturate(value, half)
        if datatype.dtype.kind == "u":
            value += half
        out[at : at + BLOCK] = value
    return out.view(np.uint8), clipped


def _saturate(value: Array, half: Any) -> int:
    """Clip to -half ... half - 1 in place, NaN to 0; how many were beyond."""
    np.nan_to_num(value, copy=False, nan=0.0, posinf=2 * half, neginf=-2 * half)
    clipped = int(np.count_nonzero((value > half - 1) | (value < -half)))
    np.clip(value, -half, half - 1, out=value)
    return clipped
