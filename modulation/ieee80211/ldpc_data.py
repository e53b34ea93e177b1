"""LDPC coding of an HT DATA field: shortening, puncturing and repetition (IEEE 802.11-2020, 19.3.11.7.5)."""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.ieee80211.params import SERVICE, Mode
from semwave.modulation.ldpc.code import WifiCode

Array = npt.NDArray[Any]

KNOWN = np.float32(1e3)  # LLR of a bit that both sides know


@dataclass(frozen=True, slots=True)
class LdpcLayout:
    """How a DATA field of ``info`` bits fills ``symbols`` OFDM symbols with ``words`` code words of ``n`` bits."""

    info: int
    symbols: int
    words: int
    n: int
    rate: Fraction
    shortened: int
    punctured: int
    repeated: int

    @property
    def k(self) -> int:
        """Information bits of a code word before shortening."""
        return int(self.n * self.rate)

    def share(self, total: int, word: int) -> int:
        """Part of ``total`` that falls to one code word: the first ones take one more each."""
        return total // self.words + (word < total % self.words)


def _choose(available: int, info: int, rate: Fraction) -> tuple[int, int]:
    """Number and length of the code words (table 19-16)."""
    missing = 1 - rate
    if available <= 648:
        return 1, 1296 if available >= info + 912 * missing else 648
    if available <= 1296:
        return 1, 1944 if available >= info + 1464 * missing else 1296
    if available <= 1944:
        return 1, 1944
    if available <= 2592:
        return 2, 1944 if available >= info + 2916 * missing else 1296
    return -(-info // int(1944 * rate)), 1944


@lru_cache(maxsize=256)
def layout(length: int, mode: Mode) -> LdpcLayout:
    """Layout of a PSDU of ``length`` octets, without space-time coding."""
    rate = Fraction(mode.rate)
    info = SERVICE + 8 * length
    available = mode.coded_bits * -(-info // mode.data_bits)
    words, n = _choose(available, info, rate)
    parity = int(words * n * (1 - rate))
    shortened = max(0, words * n - parity - info)
    punctured = max(0, words * n - available - shortened)
    few_shortened = shortened < Fraction(6, 5) * punctured * rate / (1 - rate)
    if (punctured > Fraction(1, 10) * parity and few_shortened) or punctured > Fraction(3, 10) * parity:
        available += mode.coded_bits
        punctured = max(0, words * n - available - shortened)
    repeated = max(0, available - parity - info)
    return LdpcLayout(info, available // mode.coded_bits, words, n, rate, shortened, punctured, repeated)


@lru_cache(maxsize=12)
def code(n: int, rate: Fraction) -> WifiCode:
    """The code of annex F."""
    return WifiCode(n, rate)


def encode(bits: Array, plan: LdpcLayout) -> Array:
    """Scrambled SERVICE and PSDU bits to the coded bits of all symbols: [info] -> [symbols * N_CBPS] uint8."""
    rows = np.zeros((plan.words, plan.k), np.uint8)
    at = 0
    for w in range(plan.words):
        size = plan.k - plan.share(plan.shortened, w)
        rows[w, :size] = bits[at : at + size]
        at += size
    coded = code(plan.n, plan.rate).encode(rows)
    out = []
    for w in range(plan.words):
        size = plan.k - plan.share(plan.shortened, w)
        parity = coded[w, plan.k : plan.n - plan.share(plan.punctured, w)]
        word = np.concatenate([rows[w, :size], parity])
        out += [word, np.resize(word, plan.share(plan.repeated, w))]
    return np.concatenate(out)


def decode(llr: Array, plan: LdpcLayout) -> Array:
    """LLRs of all symbols to scrambled SERVICE and PSDU bits: [symbols * N_CBPS] float32 -> [info] uint8."""
    words = np.zeros((plan.words, plan.n), np.float32)
    sizes = [plan.k - plan.share(plan.shortened, w) for w in range(plan.words)]
    at = 0
    for w, size in enumerate(sizes):
        parity = plan.n - plan.k - plan.share(plan.punctured, w)
        repeated = plan.share(plan.repeated, w)
        word = llr[at : at + size + parity].copy()
        again = llr[at + word.size : at + word.size + repeated]
        for first in range(0, repeated, word.size):
            part = again[first : first + word.size]
            word[: part.size] += part
        at += word.size + repeated
        words[w, :size] = word[:size]
        words[w, size : plan.k] = -KNOWN
        words[w, plan.k : plan.k + parity] = word[size:]
    found = code(plan.n, plan.rate).decode(words, iterations=30, algorithm="oms").bits
    return np.concatenate([row[:size] for row, size in zip(found, sizes, strict=True)])
