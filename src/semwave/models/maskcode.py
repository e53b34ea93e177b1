"""Lossless code of the key mask: a binary arithmetic coder whose contexts are the eight cells before each cell.

Context modelling as in JBIG (ITU-T T.82), with initial probabilities learned from the masks of training pictures
(`_INITIAL`, made by ``training/maskcode.py``) that adapt as cells are coded. The cheapest of four scans is taken;
an empty or a full mask is one byte. What is decoded is coded again and must give the same bytes, so most damage is
noticed here already; the rest is for the frame's checksum.

All probabilities are whole multiples of 1/4096, so coder and decoder agree on every machine.
"""

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

MAX_CELLS = 1 << 16
CELLS = 768  # about 32 x 24, what `block_size` aims at

_ONE = 4096
_STRENGTH = 60  # how many cells the initial probability of a context counts for
_SCANS = 4  # rows, columns, mirrored rows, rows from the bottom
_FLAT = 32 / _ONE  # how likely a mask is all one value
# Cells before the present one (rows up, columns right), one bit each of the context: W N NW NE WW NN NNE NEE.
_CELLS_BEFORE = ((0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0), (-2, 1), (-1, 2))
_INITIAL = bytes.fromhex(
    "01d8f2ff037047f7adfff2ff80c786ff018de2fd015f11f593fddbfe39f941ff01b57cee011b1ccb1e80c5ff80808efe"
    "02716ff5011503d2c78098fc253940ff01c571c1033e0acb29f6ddfc258094fe016439b1035b25bc56c7b5f539e615eb"
    "01d316ec0124059904f95cfd02392ff1025f1ee5012201940b8660ea03070ff40df7ddfe11a69bf967ffeaff45f883ff"
    "11cf80f4019707f866f9d4ff1ddd4eff0ec7b6db013927b92480b8fe0c8088fe0a80808001230cc939805ef70d252fff"
    "01b680c7035f808024fbe2ff089d93fe016a8080013980e830d5dbff048065fe01db12c70134036706e898ff010876fe"
    "015c3980010e01570a9881fc010131fe"
)


class MaskError(ValueError):
    """Bytes that are not the code of a mask of the given size."""


def block_size(height: int, width: int) -> int:
    """Side of a block in pixels, a multiple of 8, so that the grid is nearest to 768 cells (32 x 24).

    Raises:
        ValueError: a side below 1.
    """
    if height < 1 or width < 1:
        raise ValueError(f"height and width must be at least 1, not {height} and {width}")
    below = max(1, int((height * width / CELLS) ** 0.5 / 8))
    return min((8 * k for k in (below, below + 1)), key=lambda b: abs(np.log(height * width / (b * b * CELLS))))


def encode_mask(mask: Mask) -> bytes:
    """Code a mask: bool [rows, columns] -> bytes, at least one; rows and columns travel elsewhere.

    Raises:
        ValueError: not bool [rows, columns], no cell, or more than `MAX_CELLS` cells.
    """
    if mask.ndim != 2 or mask.dtype != np.bool_:
        raise ValueError(f"mask must be bool [rows, columns], not {mask.dtype} {list(mask.shape)}")
    _check_grid(*mask.shape)
    if mask.all() or not mask.any():
        return _shortest(*_flat_plan(bool(mask.flat[0])))
    plans = [_plan(mask, scan) for scan in range(_SCANS)]
    bits, chances = min(plans, key=lambda plan: _cost(*plan))
    return _shortest(bits, chances)


def decode_mask(data: bytes, rows: int, cols: int) -> Mask:
    """The mask that `encode_mask` made ``data`` from -> bool [rows, cols].

    Raises:
        MaskError: no mask of this size has this code.
        ValueError: no cell, or more than `MAX_CELLS` cells.
    """
    _check_grid(rows, cols)
    if not data:
        raise MaskError("the mask's code is empty")
    if len(data) > 16 + 2 * rows * cols:  # no cell costs more than 12 bits
        raise MaskError(f"{len(data)} bytes are too many for a mask of {rows} x {cols} cells")
    mask, plan = _decode(data, rows, cols)
    if _shortest(*plan) != data:
        raise MaskError(f"the {len(data)} bytes are not the code of a mask of {rows} x {cols} cells")
    return mask


def _check_grid(rows: int, cols: int) -> None:
    if rows < 1 or cols < 1 or rows * cols > MAX_CELLS:
        raise ValueError(f"a mask must have 1 to {MAX_CELLS} cells, not {rows} x {cols}")


def _scanned(mask: Mask, scan: int) -> Mask:
    """The mask turned so that scan ``scan`` becomes rows from the top; its own inverse for each scan."""
    return (mask, mask.T, mask[:, ::-1], mask[::-1])[scan]


def _flat_plan(value: bool) -> tuple[list[int], list[float]]:
    return [1, int(value)], [_FLAT, 0.5]


def _plan(mask: Mask, scan: int) -> tuple[list[int], list[float]]:
    """All bits to code, in order, with the probability of a one for each."""
    cells = _scanned(mask, scan)
    bits = [0, scan >> 1, scan & 1, *cells.ravel().astype(int).tolist()]
    return bits, [_FLAT, 0.5, 0.5, *_chances(cells)]


def _cost(bits: list[int], chances: list[float]) -> float:
    """Ideal length in bits."""
    return -float(np.log2(np.abs(1 - np.array(bits) - np.array(chances))).sum())


def _chances(cells: Mask) -> list[float]:
    """Probability of a one, for each cell in turn, given the cells before it."""
    rows, cols = cells.shape
    wide = np.pad(cells.astype(np.int64), 2)
    contexts = np.zeros(cells.shape, np.int64)
    for bit, (down, right) in enumerate(_CELLS_BEFORE):
        contexts |= wide[2 + down : 2 + down + rows, 2 + right : 2 + right + cols] << bit
    model = _Adaptive()
    return [
        model.chance_then(context, value)
        for context, value in zip(contexts.ravel().tolist(), cells.ravel().tolist(), strict=True)
    ]


class _Adaptive:
    """Counts per context that start from the learned probabilities."""

    def __init__(self) -> None:
        self.ones = [_STRENGTH * 16 * p for p in _INITIAL]  # in units of 1/4096 cell
        self.cells = [_STRENGTH] * len(self.ones)

    def chance(self, context: int) -> float:
        return min(max(self.ones[context] // self.cells[context], 1), _ONE - 1) / _ONE

    def learn(self, context: int, value: int) -> None:
        self.ones[context] += _ONE * value
        self.cells[context] += 1

    def chance_then(self, context: int, value: int) -> float:
        chance = self.chance(context)
        self.learn(context, value)
        return chance


def _words(data: bytes) -> NDArray[np.uint32]:
    """Bytes to the range coder's words, continued by zeros."""
    padded = data + bytes(-len(data) % 4 + 8)
    return np.frombuffer(padded, ">u4").astype(np.uint32)


def _shortest(bits: list[int], chances: list[float]) -> bytes:
    """The shortest bytes that, continued by zeros, decode to ``bits``.

    The range coder gives one number of its last interval in whole words; a shorter one lies in it as well.
    """
    from constriction import stream

    family, symbols, odds = stream.model.Bernoulli(perfect=False), np.array(bits, np.int32), np.array(chances)
    encoder = stream.queue.RangeEncoder()
    encoder.encode(symbols, family, odds)
    best: bytes = encoder.get_compressed().astype(">u4").tobytes()
    number, full = int.from_bytes(best, "big"), len(best)
    for length in range(full - 1, 0, -1):
        cut = number >> 8 * (full - length)
        shorter = [n.to_bytes(length, "big") for n in (cut, cut + 1) if n >> 8 * length == 0]
        good = [data for data in shorter if np.array_equal(_try(data, family, odds), symbols)]
        if not good:
            break
        best = good[0]
    return best


def _try(data: bytes, family: object, odds: NDArray[np.float64]) -> NDArray[np.int32]:
    from constriction import stream

    try:
        symbols: NDArray[np.int32] = stream.queue.RangeDecoder(_words(data)).decode(family, odds)
    except AssertionError:  # constriction's way of saying: no symbol has this code
        return np.empty(0, np.int32)
    return symbols


def _decode(data: bytes, rows: int, cols: int) -> tuple[Mask, tuple[list[int], list[float]]]:
    from constriction import stream

    decoder = stream.queue.RangeDecoder(_words(data))

    def bit(chance: float) -> int:
        return int(decoder.decode(stream.model.Bernoulli(chance, perfect=False)))

    try:
        if bit(_FLAT):
            value = bool(bit(0.5))
            return np.full((rows, cols), value), _flat_plan(value)
        scan = 2 * bit(0.5) + bit(0.5)
        height, width = (cols, rows) if scan == 1 else (rows, cols)
        adaptive = _Adaptive()
        wide = [[0] * (width + 4) for _ in range(height + 2)]  # two cells of nothing above, left and right
        for row in range(2, height + 2):
            for col in range(2, width + 2):
                context = 0
                for place, (down, right) in enumerate(_CELLS_BEFORE):
                    context |= wide[row + down][col + right] << place
                wide[row][col] = bit(adaptive.chance(context))
                adaptive.learn(context, wide[row][col])
    except AssertionError:  # constriction's way of saying: no symbol has this code
        raise MaskError(f"the {len(data)} bytes are not the code of a mask") from None
    mask = np.ascontiguousarray(_scanned(np.array(wide, np.bool_)[2:, 2:-2], scan))
    return mask, _plan(mask, scan)
