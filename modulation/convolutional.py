"""Feed-forward convolutional codes: encoder, puncturing, endings and soft or hard Viterbi decoding.

The default is the K = 7 code (133, 171) of IEEE 802.11 (2020 edition, 17.3.5.6), with its puncturing to
2/3, 3/4 and 5/6. LLRs are positive for bit 1 and may have any scale: each frame is scaled by its own level.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation import convolutional_kernels as kernels

Array = npt.NDArray[Any]

K7 = (0o133, 0o171)
ENDINGS = ("terminated", "truncated", "tail_biting")
# One row for each output, one column for each step: 1 is sent, 0 is left out
# (IEEE 802.11-2020, 17.3.5.6 and 19.3.11.6).
PUNCTURING: dict[str, tuple[str, ...]] = {
    "2/3": ("11", "10"),
    "3/4": ("110", "101"),
    "5/6": ("11010", "10101"),
}
_WRAP = 16  # times K - 1: steps of wrap-around before and after a tail-biting frame, or of overlap of windows

_SHORT = 256  # tail-biting frames up to this length are worth an exact search where wrapping did not settle


@dataclass(frozen=True, slots=True)
class ConvCode:
    """A rate-1/n code with an ending and, for n = 2, 802.11 puncturing.

    ``generators`` are integers, as printed in octal, newest bit most significant; ``rate`` is "1/n" or one of
    ``PUNCTURING``; ``ending`` is "terminated" (K - 1 zeros sent too), "truncated" or "tail_biting".
    Raise ValueError for anything else.
    """

    generators: tuple[int, ...] = K7
    rate: str = ""
    ending: str = "terminated"

    def __post_init__(self) -> None:
        if len(self.generators) < 2 or min(self.generators) < 1 or not 3 <= self.constraint_length <= 14:
            raise ValueError(
                f"generators must be two or more numbers of 3 to 14 bits, not {tuple(oct(g) for g in self.generators)}"
            )
        if self.ending not in ENDINGS:
            raise ValueError(f"ending must be one of {', '.join(ENDINGS)}, not {self.ending!r}")
        mother = f"1/{len(self.generators)}"
        if not self.rate:
            object.__setattr__(self, "rate", mother)
        punctured = list(PUNCTURING) if mother == "1/2" else []
        if self.rate not in [mother, *punctured]:
            raise ValueError(f"rate must be one of {', '.join([mother, *punctured])}, not {self.rate!r}")

    @property
    def constraint_length(self) -> int:
        """K: input bits that one output depends on."""
        return max(self.generators).bit_length()

    @property
    def memory(self) -> int:
        """K - 1."""
        return self.constraint_length - 1

    def _steps(self, k: int) -> int:
        return k + self.memory * (self.ending == "terminated")

    def _pattern(self) -> Array:
        """Which outputs of which step of a period are sent: [period, n] bool."""
        rows = PUNCTURING.get(self.rate, ("1",) * len(self.generators))
        return np.array([[c == "1" for c in row] for row in rows]).T

    def _mask(self, steps: int) -> Array:
        """Which of the mother code's bits are sent: [steps * n] bool."""
        pattern = self._pattern()
        return np.tile(pattern, (-(-steps // len(pattern)), 1))[:steps].ravel()

    def _sent(self, steps: int) -> int:
        pattern = self._pattern()
        periods, rest = divmod(steps, len(pattern))
        return int(periods * pattern.sum() + pattern[:rest].sum())

    def coded_length(self, k: int) -> int:
        """Bits sent for k information bits. Raise ValueError for k below 1, or below K - 1 when tail-biting."""
        least = self.memory if self.ending == "tail_biting" else 1
        if k < least:
            raise ValueError(f"k must be {least} or more, not {k}")
        return self._sent(self._steps(k))

    def info_length(self, n: int) -> int:
        """Information bits carried by n sent bits. Raise ValueError if no k gives n."""
        pattern = self._pattern()
        guess = n * len(pattern) // int(pattern.sum()) - self._steps(0)
        for k in range(max(guess - 2, 1), guess + 3):
            if self._sent(self._steps(k)) == n:
                return k
        raise ValueError(f"n must be a length that a rate {self.rate} {self.ending} frame can have, not {n}")

    def encode(self, bits: npt.ArrayLike) -> Array:
        """Encode each row: [..., k] uint8 0/1 -> [..., coded_length(k)] uint8, outputs of a step side by side."""
        array = np.asarray(bits, np.uint8)
        k = array.shape[-1] if array.ndim else 0
        self.coded_length(k)
        steps, memory = self._steps(k), self.memory
        padded = np.zeros((*array.shape[:-1], memory + steps), np.uint8)
        padded[..., memory : memory + k] = array
        if self.ending == "tail_biting":
            padded[..., :memory] = array[..., k - memory :]
        coded = np.zeros((*array.shape[:-1], steps, len(self.generators)), np.uint8)
        for i, generator in enumerate(self.generators):
            for delay in range(memory + 1):
                if generator >> (memory - delay) & 1:
                    coded[..., i] ^= padded[..., memory - delay : memory - delay + steps]
        flat = coded.reshape(*array.shape[:-1], -1)
        return flat if self.rate.startswith("1/") else flat[..., self._mask(steps)]

    def decode(self, llr: npt.ArrayLike, window: int | None = None) -> Array:
        """Soft Viterbi decoding of each row: [..., n] LLR (positive means 1) -> [..., k] uint8.

        ``window`` cuts every row into windows of so many steps that overlap by 16 (K - 1) on both sides and are
        decoded side by side: quicker for one long row, no longer exact. Raise ValueError for a NaN, or a length
        that no frame has.
        """
        array = np.asarray(llr, np.float32)
        k = self.info_length(array.shape[-1] if array.ndim else 0)
        rows = array.reshape(-1, array.shape[-1])
        if window is not None:
            if window < 1 or self.ending == "tail_biting":
                raise ValueError(f"window must be 1 or more and not for tail-biting frames, not {window}")
            got = np.stack([self._decode_windows(row, k, window) for row in rows])
            return got.reshape(*array.shape[:-1], k)
        steps = self._steps(k)
        skip = _WRAP * self.memory if self.ending == "tail_biting" else 0
        index = np.empty(0, np.int64)
        if skip or self.rate in PUNCTURING:
            positions = _positions(self._mask(steps)).reshape(steps, -1)
            index = positions[np.arange(-skip, steps + skip) % steps].ravel()
        steps += 2 * skip
        ends = (-1 if skip else 0, 0 if self.ending == "terminated" else -1)
        got = self._run(rows, index, steps, ends)
        if skip and k <= _SHORT:
            self._close(rows, got, skip, k)
        return got[:, skip : skip + k].reshape(*array.shape[:-1], k)

    def decode_hard(self, bits: npt.ArrayLike, window: int | None = None) -> Array:
        """Hard-decision Viterbi decoding (least Hamming distance): [..., n] uint8 0/1 -> [..., k] uint8."""
        return self.decode(np.asarray(bits, np.float32) * 2 - 1, window)

    def _run(self, rows: Array, index: Array, steps: int, ends: tuple[int, int]) -> Array:
        """Decode rows whose trellis bit j is LLR ``index[j]`` (-1: none sent): [rows, steps] uint8."""
        from semwave.modulation.threads import split

        signs, n = _signs(self.generators), len(self.generators)
        limit = min(511, 32000 // ((kernels.CHUNK + 2 * self.memory) * n))  # int16 cannot overflow
        vector = self.memory == 6 and n == 2 and all(g & 1 and g >> 6 for g in self.generators)
        kernel = kernels.decode_vector if vector else kernels.decode_plain
        table = np.ascontiguousarray(signs[0]) if vector else signs
        out = np.empty((rows.shape[0], -(-(steps + self.memory) // kernels.CHUNK)), np.uint16)
        llr, good = np.ascontiguousarray(rows), []

        def work(first: int, last: int) -> None:
            good.append(kernel(llr[first:last], index, steps, table, limit, ends, out[first:last]))

        split(rows.shape[0], max(kernels.LANES, 1 << 14 // max(steps, 1)), work)
        if not all(good):
            raise ValueError("llr must not hold NaN")
        delayed = np.unpackbits(out.astype("<u2", copy=False).view(np.uint8), axis=1, bitorder="little")
        return delayed[:, self.memory : self.memory + steps]

    def _close(self, rows: Array, got: Array, skip: int, k: int) -> None:
        """Decode again, from every state to itself, the frames whose wrapped path does not bite its tail."""
        m = self.memory
        open_ = np.flatnonzero((got[:, skip - m : skip] != got[:, skip + k - m : skip + k]).any(axis=1))
        if not open_.size:
            return
        left, index = rows[open_], _positions(self._mask(k))
        tries = np.stack([self._run(left, index, k, (s, s)) for s in range(1 << m)])  # [states, frames, k]
        signs = 2 * self.encode(tries).astype(np.float32) - 1
        score = np.einsum("sfn,fn->sf", signs, np.clip(left, -1e30, 1e30))
        got[open_, skip : skip + k] = tries[score.argmax(axis=0), np.arange(open_.size)]

    def _decode_windows(self, row: Array, k: int, window: int) -> Array:
        steps, n = self._steps(k), len(self.generators)
        overlap = _WRAP * self.memory
        level = np.float32(4) * np.abs(row).mean()
        pieces = -(-steps // window)
        whole = np.zeros((overlap + pieces * window + overlap, n), np.float32)
        whole[:overlap] = -level  # before the first bit and after the tail, zeros are as good as sent
        if self.ending == "terminated":
            whole[overlap + steps :] = -level
        flat = whole[overlap : overlap + steps].reshape(-1)
        flat[self._mask(steps)] = row
        view = np.lib.stride_tricks.sliding_window_view(whole, window + 2 * overlap, axis=0)[::window]
        rows = np.ascontiguousarray(view.transpose(0, 2, 1)).reshape(pieces, -1)
        got = self._run(rows, np.empty(0, np.int64), window + 2 * overlap, (-1, -1))
        return got[:, overlap : overlap + window].reshape(-1)[:k]


def _positions(mask: Array) -> Array:
    """Number of each sent bit among the sent ones, -1 where none is sent: [m] bool -> [m] int64."""
    return np.where(mask, np.cumsum(mask) - 1, -1)


@lru_cache(maxsize=16)
def _signs(generators: tuple[int, ...]) -> Array:
    """-1 and +1 for output 0 and 1 of even and odd predecessors, inputs 0 and 1: [4, n, states / 2] int16."""
    memory = max(generators).bit_length() - 1
    before = 2 * np.arange(1 << (memory - 1))
    out = np.empty((4, len(generators), before.size), np.int16)
    for v in range(4):
        register = (v >> 1) << memory | before | (v & 1)
        for i, generator in enumerate(generators):
            out[v, i] = 2 * (np.bitwise_count(register & generator) & 1).astype(np.int16) - 1
    out.setflags(write=False)
    return out
