"""BCH, Reed-Solomon and turbo codes through the package commpy (PyPI's ``commpy``, 1.2 or later).

Two distributions install a package of that name and overwrite each other: ``commpy`` and the older
``scikit-commpy``, which has another interface. The right one is checked for before it is imported, and it is
imported only when one of these functions runs. It decodes one word at a time: fine for headers and
comparisons, not for bulk data.
"""

from collections.abc import Callable
from functools import lru_cache
from importlib import metadata
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

WANTED, LEAST = "commpy", (1, 2)
OTHER = "scikit-commpy"


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def check_distribution() -> None:
    """Raise ImportError unless commpy 1.2 or later is installed, and it alone."""
    wanted, other = _version(WANTED), _version(OTHER)
    need = f"this needs the distribution {WANTED} >= {LEAST[0]}.{LEAST[1]}"
    install = f"pip install '{WANTED}>={LEAST[0]}.{LEAST[1]}'"
    if other is not None:
        found = f"found {OTHER} {other}" + (f" beside {WANTED} {wanted}" if wanted else "")
        raise ImportError(
            f"{need}; {found}, which installs a different package of the same name: "
            f"pip uninstall {OTHER} {WANTED}, then {install}"
        )
    if wanted is None:
        raise ImportError(f"{need}; none is installed: {install}")
    numbers = tuple(int(part) for part in wanted.split(".")[:2] if part.isdigit())
    if numbers < LEAST:
        raise ImportError(f"{need}; found {WANTED} {wanted}: {install}")


def load() -> Any:
    """Import commpy. Raise ImportError with the commands to run if it is absent, old or the other one."""
    check_distribution()
    import commpy

    return commpy


@lru_cache(maxsize=16)
def _bch(m: int, t: int) -> Any:
    return load().BCHCode(m, t)


@lru_cache(maxsize=16)
def _rs(m: int, k: int) -> Any:
    return load().ReedSolomonCode(m, k)


@lru_cache(maxsize=16)
def _turbo(k: int, seed: int) -> Any:
    return load().TurboCode(k, constraint_length=4, feedback=0o13, feedforward=0o15, rng=np.random.default_rng(seed))


def _each(name: str, words: npt.ArrayLike, length: int, work: Callable[[Array], Array]) -> Array:
    """Apply ``work`` to every row of the given length."""
    array = np.asarray(words)
    if array.ndim == 0 or array.shape[-1] != length:
        raise ValueError(f"{name} must have {length} in the last axis, not shape {array.shape}")
    rows = [work(row) for row in array.reshape(-1, length)]
    if not rows:
        raise ValueError(f"{name} must hold at least one word, not shape {array.shape}")
    return np.stack(rows).reshape(*array.shape[:-1], -1)


def _corrected(code: Any, word: Array) -> Array:
    """Message and, behind it, 1 if it could be decoded (else the received message as it is)."""
    try:
        message = code.decode(word)[0]
    except ValueError:  # more errors than the code corrects, and noticed
        return np.append(word[: code.k], 0)
    return np.append(message, 1)


def bch_lengths(m: int, t: int) -> tuple[int, int]:
    """(n, k) of the BCH code over GF(2^m) that corrects t errors."""
    code = _bch(m, t)
    return int(code.n), int(code.k)


def bch_encode(bits: npt.ArrayLike, m: int, t: int) -> Array:
    """Systematic BCH encoding: [..., k] -> [..., n] uint8."""
    code = _bch(m, t)
    return _each("bits", bits, code.k, code.encode).astype(np.uint8)


def bch_decode(bits: npt.ArrayLike, m: int, t: int) -> tuple[Array, Array]:
    """Correct up to t errors: [..., n] 0/1 -> message [..., k] uint8, and whether it was decoded [...] bool."""
    code = _bch(m, t)
    out = _each("bits", bits, code.n, lambda word: _corrected(code, word))
    return out[..., :-1].astype(np.uint8), out[..., -1].astype(np.bool_)


def rs_encode(symbols: npt.ArrayLike, m: int, k: int) -> Array:
    """Systematic Reed-Solomon encoding over GF(2^m): [..., k] -> [..., 2^m - 1] int64."""
    code = _rs(m, k)
    return _each("symbols", symbols, code.k, code.encode)


def rs_decode(symbols: npt.ArrayLike, m: int, k: int) -> tuple[Array, Array]:
    """Correct up to (2^m - 1 - k) / 2 symbols: [..., 2^m - 1] -> message [..., k], decoded [...] bool."""
    code = _rs(m, k)
    out = _each("symbols", symbols, code.n, lambda word: _corrected(code, word))
    return out[..., :-1], out[..., -1].astype(np.bool_)


def turbo_encode(bits: npt.ArrayLike, seed: int = 0) -> Array:
    """Turbo code of rate 1/3, constituents 15/13 (octal) of UMTS, random interleaver: [..., k] -> [..., 3 k] uint8."""
    k = np.asarray(bits).shape[-1]
    return _each("bits", bits, k, _turbo(k, seed).encode).astype(np.uint8)


def turbo_decode(llr: npt.ArrayLike, seed: int = 0, iterations: int = 8) -> Array:
    """Iterative decoding: [..., 3 k] exact LLRs, positive for 1 -> [..., k] uint8.

    Raise ValueError if the length is not a multiple of 3.
    """
    array = np.asarray(llr, np.float64)
    if array.ndim == 0 or array.shape[-1] % 3:
        raise ValueError(f"llr must have a multiple of 3 in the last axis, not shape {array.shape}")
    code = _turbo(array.shape[-1] // 3, seed)
    # commpy's LLRs are ln P(0) / P(1)
    return _each("llr", -array, array.shape[-1], lambda row: code.decode(row, iterations=iterations)[0])
