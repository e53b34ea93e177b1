"""The DATA field's way from PSDU bytes to constellation points and back (IEEE 802.11-2020, 17.3.5 and 19.3.11)."""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation import interleave, qam, scramble
from semwave.modulation.convolutional import ConvCode
from semwave.modulation.ieee80211 import ldpc_data
from semwave.modulation.ieee80211.params import SERVICE, TAIL, Mode

Array = npt.NDArray[Any]


def symbols_needed(length: int, mode: Mode, ldpc: bool = False) -> int:
    """OFDM symbols of a DATA field with ``length`` octets of PSDU, N_SYM."""
    if ldpc:
        return ldpc_data.layout(length, mode).symbols
    return -(-(SERVICE + 8 * length + TAIL) // mode.data_bits)


@lru_cache(maxsize=16)
def conv_code(rate: str) -> ConvCode:
    """The binary convolutional code, ended by the tail bits."""
    return ConvCode(rate=rate)


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
    code = conv_code(mode.rate)
    info = SERVICE + 8 * length
    return code.decode(llr[: code.coded_length(info)])


@lru_cache(maxsize=1)
def _seeds() -> dict[bytes, int]:
    return {scramble.wifi_sequence(7, seed).tobytes(): seed for seed in range(1, 128)}


def descramble(bits: Array) -> tuple[bytes, int]:
    """PSDU and scrambler seed, read from the first seven SERVICE bits, which are zeros; seed 0: not scrambled."""
    seed = _seeds().get(bits[:7].tobytes(), 0)
    plain = scramble.wifi(bits, seed) if seed else bits
    return np.packbits(plain[SERVICE:], bitorder="little").tobytes(), seed
