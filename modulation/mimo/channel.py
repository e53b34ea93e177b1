"""Fading between several antennas: independent links of one profile, correlated by Kronecker's model."""

from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation import fading

Array = npt.NDArray[Any]


def correlation(antennas: int, rho: float) -> Array:
    """Exponential correlation ``R[i, j] = rho^|i-j|``: [antennas, antennas] float64. ValueError unless 0 <= rho < 1."""
    if antennas < 1 or not 0 <= rho < 1:
        raise ValueError(f"antennas must be 1 or more and rho 0 to below 1, not {antennas} and {rho}")
    place = np.arange(antennas)
    return np.asarray(float(rho) ** np.abs(place[:, None] - place))


def _root(matrix: Array) -> Array:
    """Symmetric square root."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)


class MimoChannel:
    """``H(t) = R_rx^(1/2) G(t) R_tx^(1/2)``, G of independent links of unit mean power (TS 36.101, B.2.3).

    The links are channels of :func:`semwave.modulation.fading.create`, with its names and parameters, each with a
    generator spawned from ``rng``. Any cut of the input gives the same output.
    """

    def __init__(
        self,
        profile: str,
        *,
        sample_rate: float,
        rng: np.random.Generator,
        tx: int = 2,
        rx: int = 2,
        correlation_tx: float = 0.0,
        correlation_rx: float = 0.0,
        **parameters: Any,
    ) -> None:
        self.tx, self.rx = tx, rx
        self._root_tx, self._root_rx = _root(correlation(tx, correlation_tx)), _root(correlation(rx, correlation_rx))
        self.links = [
            [fading.create(profile, sample_rate=sample_rate, rng=own, **parameters) for own in rng.spawn(tx)]
            for _ in range(rx)
        ]
        self.delay = self.links[0][0].delay

    def process(self, x: Array) -> Array:
        """[tx, n] complex -> [rx, n] complex64, going on where the last call ended. ValueError for another tx."""
        x = np.asarray(x)
        if x.ndim != 2 or x.shape[0] != self.tx:
            raise ValueError(f"x must be [tx = {self.tx}, n], not {list(x.shape)}")
        sent = _mix(self._root_tx, x)
        heard = np.empty((self.rx, x.shape[1]), np.complex64)
        for row, links in zip(heard, self.links, strict=True):
            row[:] = links[0].process(sent[0])
            for stream, link in zip(sent[1:], links[1:], strict=True):
                row += link.process(stream)
        return _mix(self._root_rx, heard)

    def frequency_response(self, sample_index: int, freqs_hz: Array) -> Array:
        """True response at one output sample without the bulk delay, [f] Hz -> [f, rx, tx] complex64."""
        own = [[link.frequency_response(sample_index, freqs_hz) for link in links] for links in self.links]
        whole = self._root_rx @ np.moveaxis(np.array(own), -1, 0) @ self._root_tx
        return np.asarray(whole, np.complex64)


def _mix(root: Array, x: Array) -> Array:
    """``root @ x`` as complex64, in an order of additions that does not depend on the length of x."""
    if np.array_equal(root, np.eye(len(root))):
        return np.ascontiguousarray(x, np.complex64)
    out = np.zeros(x.shape, np.complex64)
    for i, row in enumerate(root.astype(np.float32)):
        for weight, stream in zip(row, x, strict=True):
            out[i] += weight * stream
    return out
