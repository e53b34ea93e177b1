"""The DATA field's way from PSDU bytes to constellation points and back (IEEE 802.11-2020, 17.3.5 and 19.3.11)."""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation import interleave, qam, scramble
from semwave.modulation.convolutional import K7, PUNCTURING, ConvCode
from semwave.modulation.convolutional_kernels import CHUNK, decode_vector
from semwave.modulation.ieee80211 import ldpc_data
from semwave.modulation.ieee80211.params import SERVICE, TAIL, Mode

Array = npt.NDArray[Any]

_LIMIT = min(511, 32000 // ((CHUNK + 12) * 2))  # of a quantised LLR: int16 path metrics cannot overflow


def symbols_needed(length: int, mode: Mode, ldpc: bool = False) -> int:
    """OFDM symbols of a DATA field with ``length`` octets of PSDU, N_SYM."""
    if ldpc:
        return ldpc_data.layout(length, mode).symbols
    return -(-(SERVICE + 8 * length + TAIL) // mode.data_bits)


@lru_cache(maxsize=32)
def _order(mode: Mode, ldpc: bool) -> Array:
    """Which coded bit of a symbol each bit of its constellation points is, labels as in TS 38.211: [N_CBPS].

    IEEE 802.11 labels the in-phase axis with the first half of a point's bits and the quadrature axis with the
    second half, where TS 38.211 takes turns, and every label bit is the other's complement.
    """
    n, bits = mode.coded_bits, mode.bits_per_carrier
    if ldpc:
        sent = np.arange(n)
    elif mode.carriers == 48:
        sent = interleave.wifi(bits).order
    else:
        sent = interleave.wifi_ht(bits).order
    if bits > 1:
        half = bits // 2
        take = np.arange(bits).reshape(2, half).T.ravel()  # place in an 802.11 label of each 38.211 label bit
        sent = sent.reshape(-1, bits)[:, take].ravel()
    out = np.ascontiguousarray(sent)
    out.setflags(write=False)
    return out


def map_symbols(coded: Array, mode: Mode, ldpc: bool = False) -> Array:
    """Interleave and map coded bits: [n * N_CBPS] uint8 -> [n, carriers] complex64 of unit mean energy."""
    bits = coded.reshape(-1, mode.coded_bits)[:, _order(mode, ldpc)]
    if mode.bits_per_carrier == 1:
        return (2.0 * bits - 1.0).astype(np.complex64)
    return qam.map_bits(1 - bits, 1 << mode.bits_per_carrier)


def hard_points(points: Array, mode: Mode) -> Array:
    """Nearest constellation points: [...] complex64 -> [...] complex64."""
    if mode.bits_per_carrier == 1:
        return np.where(points.real >= 0, 1, -1).astype(np.complex64)
    scale = np.float32(np.sqrt({2: 2.0, 4: 10.0, 6: 42.0}[mode.bits_per_carrier]))
    top = (1 << mode.bits_per_carrier // 2) - 1
    axes = np.ascontiguousarray(points).view(np.float32) * scale
    levels = 2 * np.floor(axes / 2) + 1
    return (np.clip(levels, -top, top) / scale).astype(np.float32).view(np.complex64)


def demap(points: Array, n0: Array, mode: Mode, ldpc: bool = False) -> Array:
    """LLRs of coded bits in their own order: [n, carriers] complex64, noise [n, carriers] -> [n * N_CBPS]."""
    if mode.bits_per_carrier == 1:
        llr = np.float32(4) * points.real / n0
    else:
        llr = -qam.demap_llr(points, 1 << mode.bits_per_carrier, n0)
    out = np.empty(llr.shape, np.float32)
    out[:, _order(mode, ldpc)] = llr
    return out.ravel()


def encode(psdu: bytes, mode: Mode, seed: int, ldpc: bool = False) -> Array:
    """SERVICE, PSDU, tail and pad bits, scrambled and coded: -> [N_SYM * N_CBPS] uint8."""
    payload = np.unpackbits(np.frombuffer(psdu, np.uint8), bitorder="little")
    n_symbols = symbols_needed(len(psdu), mode, ldpc)
    if ldpc:
        bits = np.concatenate([np.zeros(SERVICE, np.uint8), payload])
        return ldpc_data.encode(scramble.wifi(bits, seed), ldpc_data.layout(len(psdu), mode))
    bits = np.zeros(n_symbols * mode.data_bits, np.uint8)
    end = SERVICE + payload.size
    bits[SERVICE:end] = payload
    bits = scramble.wifi(bits, seed)
    bits[end : end + TAIL] = 0
    return ConvCode(rate=mode.rate, ending="truncated").encode(bits)


def decode(llr: Array, length: int, mode: Mode, ldpc: bool = False) -> Array:
    """Undo the code: LLRs of all symbols -> scrambled SERVICE and PSDU bits, [16 + 8 * length] uint8."""
    if ldpc:
        return ldpc_data.decode(llr, ldpc_data.layout(length, mode))
    return viterbi(llr, mode.rate, SERVICE + 8 * length)


@lru_cache(maxsize=8)
def _places(rate: str, steps: int) -> Array:
    """Which LLR each trellis bit of ``steps`` steps takes, -1 for a punctured one: [2 * steps] int64."""
    pattern = np.array([[c == "1" for c in row] for row in PUNCTURING.get(rate, ("1", "1"))]).T
    sent = np.resize(pattern, (steps, 2)).ravel()
    return np.where(sent, np.cumsum(sent) - 1, -1)


@lru_cache(maxsize=1)
def _signs() -> Array:
    """Output signs of the transitions from even states, input 0, for the vector kernel: [2, 32] int16."""
    ones = [[bin(2 * j & g).count("1") % 2 for j in range(32)] for g in K7]
    return 2 * np.array(ones, np.int16) - 1


def viterbi(llr: Array, rate: str, info: int) -> Array:
    """``ConvCode(rate=rate).decode`` of one frame without its checks: [>= coded] float32 -> [info] uint8.

    A short frame costs a tenth of the general call.
    """
    steps = info + TAIL
    places = _places(rate, -(-steps // 4096) * 4096)[: 2 * steps]
    words = np.empty((1, (steps + TAIL - 1) // CHUNK + 1), np.uint16)
    used = llr[: int(places[places.size - 12 :].max()) + 1]
    if not decode_vector(used[None], places, steps, _signs(), _LIMIT, (0, 0), words):
        raise ValueError("llr must not hold NaN")
    return np.unpackbits(words.astype("<u2", copy=False).view(np.uint8), bitorder="little")[TAIL : TAIL + info]


@lru_cache(maxsize=1)
def _seeds() -> dict[bytes, int]:
    return {scramble.wifi_sequence(7, seed).tobytes(): seed for seed in range(1, 128)}


def descramble(bits: Array) -> tuple[bytes, int]:
    """PSDU and scrambler seed, read from the first seven SERVICE bits, which are zeros; seed 0: not scrambled."""
    seed = _seeds().get(bits[:7].tobytes(), 0)
    plain = scramble.wifi(bits, seed) if seed else bits
    return np.packbits(plain[SERVICE:], bitorder="little").tobytes(), seed
