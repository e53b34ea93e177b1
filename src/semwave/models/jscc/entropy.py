"""Range coding of class maps and of quantised coefficients whose scale both ends know (by ``constriction``).

Probabilities are whole multiples of 2^-16, so that the last bit of a machine's exponential does not matter.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

LIMIT = 63  # greater values are escaped
_SCALES = (-14, 26)  # quarter octaves of standard deviation over step
_ONE = 1 << 16


@lru_cache(maxsize=1)
def _tables() -> list[Array]:
    """Probabilities of -63..63 and of an escape for each scale: a Laplacian cut by a uniform quantiser."""
    edges = np.arange(-LIMIT, LIMIT + 2) - 0.5
    out = []
    for level in range(_SCALES[0], _SCALES[1] + 1):
        width = np.exp2(level / 4) / np.sqrt(2)
        below = np.where(edges < 0, np.exp(-np.abs(edges) / width) / 2, 1 - np.exp(-np.abs(edges) / width) / 2)
        inside = np.diff(below)
        out.append(_whole(np.append(inside, 1 - inside.sum())))
    return out


def _whole(probabilities: Array) -> Array:
    counts = np.maximum(np.round(probabilities * _ONE), 1)
    return np.asarray(counts / counts.sum(), np.float32)


@lru_cache(maxsize=256)
def _model(level: int) -> Any:
    import constriction

    return constriction.stream.model.Categorical(_tables()[level], perfect=False)


def _scale(levels: Array) -> Array:
    return np.clip(levels - _SCALES[0], 0, _SCALES[1] - _SCALES[0])


def _rest() -> Any:
    import constriction

    return constriction.stream.model.Uniform(1 << 16)


class Writer:
    """Symbols to bytes."""

    def __init__(self) -> None:
        import constriction

        self._coder = constriction.stream.queue.RangeEncoder()

    def symbols(self, values: Array, probabilities: Array) -> None:
        """Values [n] with a row of probabilities each [n, K], or one row for all [K]."""
        import constriction

        values = np.ascontiguousarray(values, np.int32)
        if probabilities.ndim == 1:
            self._coder.encode(values, constriction.stream.model.Categorical(_whole(probabilities), perfect=False))
        else:
            self._coder.encode(
                values,
                constriction.stream.model.Categorical(perfect=False),
                np.stack([_whole(p) for p in probabilities]),
            )

    def integers(self, values: Array, levels: Array) -> None:
        """Integers [n], each with its scale in quarter octaves [n]; the decoder must know the levels in advance."""
        scales = _scale(levels)
        for scale in np.unique(scales):
            chosen = values[scales == scale]
            self._coder.encode(_folded(chosen), _model(int(scale)))
            for value in chosen[np.abs(chosen) > LIMIT]:
                self._coder.encode(int(np.clip(value, -32768, 32767)) + 32768, _rest())

    def bytes(self) -> bytes:
        """All of it; the decoder reads zeros behind the end, so those are cut."""
        return bytes(self._coder.get_compressed().astype("<u4").tobytes()).rstrip(b"\0")


class Reader:
    """Bytes to symbols, in the order in which they were written."""

    def __init__(self, data: bytes) -> None:
        import constriction

        padded = data + bytes(8 + -len(data) % 4)
        self._coder = constriction.stream.queue.RangeDecoder(np.frombuffer(padded, "<u4").astype(np.uint32))

    def symbol(self, probabilities: Array) -> int:
        """One value."""
        import constriction

        return int(self._coder.decode(constriction.stream.model.Categorical(_whole(probabilities), perfect=False)))

    def integers(self, levels: Array) -> Array:
        """What `Writer.integers` wrote: int32 [n]."""
        scales = _scale(levels)
        out = np.zeros(levels.size, np.int32)
        for scale in np.unique(scales):
            where = np.flatnonzero(scales == scale)
            values = np.asarray(self._coder.decode(_model(int(scale)), where.size), np.int32) - LIMIT
            for i in np.flatnonzero(values > LIMIT):
                values[i] = int(self._coder.decode(_rest())) - 32768
            out[where] = values
        return out


def _folded(values: Array) -> Array:
    return np.where(np.abs(values) > LIMIT, 2 * LIMIT + 1, values + LIMIT).astype(np.int32)


@lru_cache(maxsize=1)
def _cells() -> tuple[Array, Array, Array]:
    """For each scale, in steps: variance of a value quantised to 0, shift towards 0 of others, their variance."""
    fine = (np.arange(4000) + 0.5) / 4000
    rows = []
    for level in range(_SCALES[0], _SCALES[1] + 1):
        width = np.exp2(level / 4) / np.sqrt(2)
        zero, other = np.exp(-fine / 2 / width), np.exp(-fine / width)
        mean = (other * fine).sum() / other.sum()
        spread = (other * np.square(fine - mean)).sum() / other.sum()
        rows.append(((zero * np.square(fine / 2)).sum() / zero.sum(), 0.5 - mean, spread))
    zeros, shifts, spreads = np.array(rows).T
    return zeros, shifts, spreads


def expectation(values: Array, levels: Array) -> tuple[Array, Array]:
    """Mean and variance, in steps, of what was quantised to these values: [n], [n] -> float64 [n], [n]."""
    zeros, shifts, spreads = _cells()
    scales = _scale(levels)
    mean = values - np.sign(values) * shifts[scales]
    return mean, np.where(values == 0, zeros[scales], spreads[scales])
