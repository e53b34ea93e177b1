"""A coarse picture that needs no side information: the means of each block, sent as they are.

Gains and variances are constants of both ends, so the symbols mean something as soon as it is known which blocks are
covered. Neighbouring block means are alike; the receiver estimates them together, from

    sum_i (y_i - g t_i)^2 / m_i  +  sum_i t_i^2 / V  +  sum over neighbours (t_i - t_j)^2 / D

(a Gaussian Markov random field), which averages noise out where the channel is bad and leaves means alone where not.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.models.jscc import allocation, transform
from semwave.models.jscc.codebook import Codebook, variance

Array = NDArray[Any]

PLACES = np.array([0, 256, 512])  # of 768: the means of the three colours
VARIANCES = np.array([40.8, 5.11, 0.56])  # 125 training photographs of COCO
DIFFERENCES = np.array([12.07, 0.83, 0.19])  # of means, from block to block
BOOST = 1.5  # mean power, of 1
_POWERS = np.sqrt(DIFFERENCES / 2)  # more than that the neighbours tell
GAINS = np.sqrt(BOOST / 2 * _POWERS / _POWERS.mean() / VARIANCES)


def symbols(cover: Array) -> int:
    """Channel uses for the blocks covered."""
    return -(-int(cover.sum()) * PLACES.size // 2)


def encode(image: Array, cover: Array) -> Array:
    """A padded picture -> complex64 [symbols(cover)]."""
    cosines = (transform.forward(image) - transform.MEAN)[cover]
    return allocation.to_symbols((cosines[:, PLACES] * GAINS).T.reshape(-1))


def decode(book: Codebook, received: Array, noise_var: Array, cover: Array) -> tuple[Array, Array]:
    """Coefficients and their variances, [rows, columns, 768] both, from the symbols [symbols(cover)] alone."""
    count = int(cover.sum())
    reals = allocation.to_reals(received)[: count * PLACES.size].reshape(PLACES.size, count)
    noise = np.repeat(np.asarray(noise_var, np.float64) / 2, 2)[: count * PLACES.size].reshape(PLACES.size, count)
    reals = np.where(np.isinf(noise), 0.0, reals)
    cosines = np.zeros((count, transform.MEAN.size), np.float32)
    spread = np.empty_like(cosines)
    spread[:, book.order] = book.prior @ variance(book.levels)
    for k, place in enumerate(PLACES):
        weight = GAINS[k] ** 2 / noise[k] + 1 / VARIANCES[k]
        pull = GAINS[k] * reals[k] / noise[k]
        cosines[:, place], spread[:, place] = _smooth(cover, weight, pull, 1 / DIFFERENCES[k])
    out = np.zeros((*cover.shape, transform.MEAN.size), np.float32)
    variances = np.full_like(out, 0.06)
    out[cover], variances[cover] = cosines, spread
    return out + transform.MEAN, variances


def _smooth(cover: Array, weight: Array, pull: Array, tie: float) -> tuple[Array, Array]:
    """Minimum of sum weight t^2 - 2 pull t + tie sum (t_i - t_j)^2, and the variances (two rounds of messages)."""
    from scipy.sparse import coo_array
    from scipy.sparse.linalg import spsolve

    number = np.full(cover.shape, -1)
    number[cover] = np.arange(weight.size)
    pairs = [(number[:, :-1], number[:, 1:]), (number[:-1], number[1:])]
    kept = [(p >= 0) & (q >= 0) for p, q in pairs]
    a, b = (np.concatenate([pair[i][k] for pair, k in zip(pairs, kept, strict=True)]) for i in (0, 1))
    degree = np.bincount(np.concatenate([a, b]), minlength=weight.size)
    rows, columns = np.concatenate([a, b, np.arange(weight.size)]), np.concatenate([b, a, np.arange(weight.size)])
    values = np.concatenate([np.full(2 * a.size, -tie), weight + tie * degree])
    found = spsolve(coo_array((values, (rows, columns))).tocsc(), pull)
    precision = weight
    for _ in range(2):
        told = 1 / (1 / tie + 1 / precision)
        precision = weight + np.bincount(a, told[b], weight.size) + np.bincount(b, told[a], weight.size)
    return np.atleast_1d(found), 1 / precision
