"""One door to all the channel codes: make one by name, ask its lengths, encode bits, decode LLRs.

    c = coding.code("conv_k7", k=1000, rate="3/4")
    received = c.decode(llr)  # received.bits [..., c.k], received.ok [...] or None

LLRs are positive for bit 1. Code modules are imported only when a code of theirs is made.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Decoded:
    """``bits`` [..., k] uint8; ``ok`` [...] bool where the code can tell (CRC or parity checks), else None."""

    bits: Array
    ok: Any


class Code(Protocol):
    """A block code of k bits in n."""

    @property
    def k(self) -> int:
        """Information bits of a block."""

    @property
    def n(self) -> int:
        """Sent bits of a block."""

    def encode(self, bits: npt.ArrayLike) -> Array:
        """[..., k] uint8 0/1 -> [..., n] uint8."""

    def decode(self, llr: npt.ArrayLike) -> Decoded:
        """[..., n] LLR, positive for 1 -> bits [..., k] and, where the code can tell, verdicts [...]."""


@dataclass(frozen=True)
class _Block:
    """A code made of two functions over rows: [rows, k] -> [rows, n] and [rows, n] -> (bits, ok)."""

    k: int
    n: int
    encode_rows: Callable[[Array], Array]
    decode_rows: Callable[[Array], tuple[Array, Any]]

    def _rows(self, values: Array, name: str, length: int) -> Array:
        if values.ndim == 0 or values.shape[-1] != length:
            raise ValueError(f"{name} must have {length} in the last axis, not shape {values.shape}")
        return values.reshape(-1, length)

    def encode(self, bits: npt.ArrayLike) -> Array:
        array = np.asarray(bits, np.uint8)
        return self.encode_rows(self._rows(array, "bits", self.k)).reshape(*array.shape[:-1], self.n)

    def decode(self, llr: npt.ArrayLike) -> Decoded:
        array = np.asarray(llr, np.float32)
        bits, ok = self.decode_rows(self._rows(array, "llr", self.n))
        if ok is not None:
            ok = np.asarray(ok).reshape(array.shape[:-1]) if array.ndim > 1 else bool(np.asarray(ok).ravel()[0])
        return Decoded(bits.reshape(*array.shape[:-1], self.k), ok)


def _none(k: int) -> Code:
    """No code: n = k, hard decisions (an LLR of 0 is 0)."""
    if k < 1:
        raise ValueError(f"k must be 1 or more, not {k}")
    return _Block(k, k, lambda bits: bits.copy(), lambda llr: ((llr > 0).astype(np.uint8), None))


def _repetition(k: int, n: int) -> Code:
    """The k bits over and over until n are sent; n need not be a multiple of k."""
    if not 1 <= k <= n:
        raise ValueError(f"k must be 1 to n = {n}, not {k}")
    order = np.arange(n) % k

    def decode(llr: Array) -> tuple[Array, Any]:
        padded = np.zeros((llr.shape[0], -(-n // k) * k), np.float32)
        padded[:, :n] = llr
        return (padded.reshape(llr.shape[0], -1, k).sum(axis=1) > 0).astype(np.uint8), None

    return _Block(k, n, lambda bits: bits[:, order], decode)


def _conv_k7(k: int, rate: str = "1/2", ending: str = "terminated") -> Code:
    """Convolutional code (133, 171) of 802.11, rate 1/2, 2/3, 3/4 or 5/6, soft Viterbi decoding."""
    from semwave.modulation.convolutional import ConvCode

    conv = ConvCode(rate=rate, ending=ending)
    return _Block(k, conv.coded_length(k), conv.encode, lambda llr: (conv.decode(llr), None))


def _polar_5g(
    k: int, n: int, link: str = "uplink", list_size: int = 8, crc: str | None = None, adaptive: bool = False
) -> Code:
    """Polar code of 5G with its CRC, list decoding."""
    from semwave.modulation.polar import PolarCode

    polar = PolarCode(k, n, link, list_size, crc, adaptive)

    def decode(llr: Array) -> tuple[Array, Any]:
        result = polar.decode(llr)
        return result.bits, result.ok

    return _Block(k, n, polar.encode, decode)


def _ldpc(code_: Any, iterations: int, algorithm: str | None, precision: str | None) -> Code:
    def decode(llr: Array) -> tuple[Array, Any]:
        result = code_.decode(llr, iterations=iterations, algorithm=algorithm or "nms", precision=precision)
        return result.bits, result.ok

    return _Block(code_.k, code_.n, code_.encode, decode)


def _ldpc_5g(k: int, n: int, iterations: int = 20, algorithm: str | None = None, precision: str | None = None) -> Code:
    """LDPC code of 5G, one code block, both base graphs, rate matched; ``precision`` as in ``LdpcCode.decode``."""
    from semwave.modulation import ldpc

    return _ldpc(ldpc.NrCode(k, n), iterations, algorithm, precision)


def _ldpc_80211n(
    n: int, rate: str = "1/2", iterations: int = 20, algorithm: str | None = None, precision: str | None = None
) -> Code:
    """LDPC code of 802.11n: n of 648, 1296 or 1944, rate 1/2, 2/3, 3/4 or 5/6."""
    from semwave.modulation import ldpc

    return _ldpc(ldpc.WifiCode(n, rate), iterations, algorithm, precision)


def _bch(m: int, t: int) -> Code:
    """BCH code over GF(2^m) that corrects t errors, hard decisions; by PyPI's commpy."""
    from semwave.modulation import commpy_adapter as commpy

    n, k = commpy.bch_lengths(m, t)
    return _Block(
        k,
        n,
        lambda bits: commpy.bch_encode(bits, m, t),
        lambda llr: commpy.bch_decode((llr > 0).astype(np.uint8), m, t),
    )


def _rs(m: int, symbols: int) -> Code:
    """Reed-Solomon code over GF(2^m), ``symbols`` information symbols of m bits in 2^m - 1, hard; by PyPI's commpy."""
    from semwave.modulation import commpy_adapter as commpy

    if not 2 <= m <= 12 or not 1 <= symbols < 2**m - 1:
        raise ValueError(f"m must be 2 to 12 and symbols 1 to 2^m - 2, not {m} and {symbols}")
    weights = 1 << np.arange(m)[::-1]

    def join(bits: Array) -> Array:
        return np.asarray(bits.reshape(len(bits), -1, m) @ weights)

    def cut(values: Array) -> Array:
        return ((values[..., None] & weights) > 0).astype(np.uint8).reshape(len(values), -1)

    def decode(llr: Array) -> tuple[Array, Any]:
        found, ok = commpy.rs_decode(join((llr > 0).astype(np.int64)), m, symbols)
        return cut(found), ok

    n = (2**m - 1) * m
    return _Block(symbols * m, n, lambda bits: cut(commpy.rs_encode(join(bits.astype(np.int64)), m, symbols)), decode)


def _turbo(k: int, iterations: int = 8) -> Code:
    """Turbo code of rate 1/3 with the constituents of UMTS; by PyPI's commpy."""
    from semwave.modulation import commpy_adapter as commpy

    return _Block(k, 3 * k, commpy.turbo_encode, lambda llr: (commpy.turbo_decode(llr, iterations=iterations), None))


_MAKERS: dict[str, Callable[..., Code]] = {
    "none": _none,
    "repetition": _repetition,
    "conv_k7": _conv_k7,
    "polar_5g": _polar_5g,
    "ldpc_5g": _ldpc_5g,
    "ldpc_80211n": _ldpc_80211n,
    "bch": _bch,
    "rs": _rs,
    "turbo": _turbo,
}


def names() -> list[str]:
    """Codes known."""
    return list(_MAKERS)


def parameters(name: str) -> dict[str, inspect.Parameter]:
    """Parameters that a code takes, with defaults and annotations. Raise ValueError for an unknown name."""
    if name not in _MAKERS:
        raise ValueError(f"name must be one of {', '.join(_MAKERS)}, not {name!r}")
    return dict(inspect.signature(_MAKERS[name]).parameters)


def code(name: str, *args: Any, **kwargs: Any) -> Code:
    """Make a code by name: ``code("polar_5g", k=64, n=128)``.

    Raise ValueError for an unknown name, for parameters it does not take, and for values it cannot have.
    """
    takes = ", ".join(str(p) for p in parameters(name).values())
    try:
        inspect.signature(_MAKERS[name]).bind(*args, **kwargs)
    except TypeError as wrong:
        raise ValueError(f"{name} takes ({takes}): {wrong}") from None
    return _MAKERS[name](*args, **kwargs)
