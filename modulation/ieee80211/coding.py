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
def order(mode: Mode, ldpc: bool = False) -> Array:
    """Which coded bit of a symbol each bit of its constellation points is: [N_CBPS] int64."""
    if ldpc:
        sent = np.arange(mode.coded_bits)
    elif mode.carriers == 48:
        sent = interleave.wifi(mode.bits_per_carrier).order
    else:
        sent = interleave.wifi_ht(mode.bits_per_carrier).order
    out = np.ascontiguousarray(sent)
    out.setflags(write=False)
    return out


def map_symbols(coded: Array, mode: Mode, ldpc: bool = False) -> Array:
    """Interleave and map coded bits: [n * N_CBPS] uint8 -> [n, carriers] complex64 of unit mean energy.

    IEEE 802.11 labels the in-phase axis with the first half of a point's bits and the quadrature axis with the
    second half, where TS 38.211 takes turns, and every bit is the other's complement (17.3.5.8).
    """
    bits = coded.reshape(-1, mode.coded_bits)[:, order(mode, ldpc)]
    each = mode.bits_per_carrier
    if each == 1:
        return (2.0 * bits - 1.0).astype(np.complex64)
    axes = bits.reshape(len(bits), -1, 2, each // 2).swapaxes(2, 3)
    return qam.map_bits(1 - axes.reshape(len(bits), -1), 1 << each)


def demap_bpsk(points: Array, n0: Array) -> Array:
    """LLRs of signal fields: [n, 48] complex64, noise [n, 48] -> [n * 48] float32."""
    out = np.empty(points.shape, np.float32)
    out[:, order(Mode(1, "1/2", 48))] = 4 * points.real / n0
    return out.ravel()


def unit(mode: Mode) -> float:
    """Factor that makes the constellation's levels odd integers (17.3.5.8: 1 / K_MOD)."""
    return float(np.sqrt({1: 1.0, 2: 2.0, 4: 10.0, 6: 42.0}[mode.bits_per_carrier]))


def encode(psdu: bytes, mode: Mode, seed: int, ldpc: bool = False) -> Array:
    """SERVICE, PSDU, tail and pad bits, scrambled and coded: -> [N_SYM * N_CBPS] uint8."""
    payload = np.unpackbits(np.frombuffer(psdu, np.uint8), bitorder="little")
    padding = 0 if ldpc else symbols_needed(len(psdu), mode) * mode.data_bits - SERVICE - payload.size
    bits = np.concatenate([np.zeros(SERVICE, np.uint8), payload, np.zeros(padding, np.uint8)])
    return code_scrambled(scramble.wifi(bits, seed), len(psdu), mode, ldpc)


def code_scrambled(bits: Array, length: int, mode: Mode, ldpc: bool = False) -> Array:
    """Code scrambled bits, the tail's set to zero and missing padding taken as zeros: -> [N_SYM * N_CBPS] uint8."""
    if ldpc:
        return ldpc_data.encode(bits, ldpc_data.layout(length, mode))
    whole = np.zeros(symbols_needed(length, mode) * mode.data_bits, np.uint8)
    whole[: bits.size] = bits
    end = SERVICE + 8 * length
    whole[end : end + TAIL] = 0
    return ConvCode(rate=mode.rate, ending="truncated").encode(whole)


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
