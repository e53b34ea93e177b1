"""Everything that hardware does to a waveform, in one place; all of it streams and any cut gives the same output.

Oscillators: :class:`CarrierOffset`, :class:`WienerPhaseNoise`, :class:`PllPhaseNoise`. Clocks: :class:`TimingOffset`,
:class:`SampleClockOffset`, which changes the number of samples. Front ends: :class:`IqImbalance`, :class:`DcOffset`,
:class:`RappAmplifier`, :class:`SalehAmplifier`, :class:`Quantizer`, :class:`Clipper`. :class:`Chain` joins them.
"""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from semwave.modulation.clock import SampleClockOffset, TimingOffset
from semwave.modulation.front_end import (
    Clipper,
    DcOffset,
    IqImbalance,
    Quantizer,
    RappAmplifier,
    SalehAmplifier,
)
from semwave.modulation.oscillator import CarrierOffset, PllPhaseNoise, WienerPhaseNoise

Array = npt.NDArray[Any]

__all__ = [
    "CarrierOffset", "Chain", "Clipper", "DcOffset", "Impairment", "IqImbalance", "PllPhaseNoise", "Quantizer",
    "RappAmplifier", "SalehAmplifier", "SampleClockOffset", "TimingOffset", "WienerPhaseNoise",
]  # fmt: skip


class Impairment(Protocol):
    """What every impairment offers."""

    delay: int

    def process(self, x: Array) -> Array:
        """`[n]` complex -> complex64, `[n]` unless the clock is off; goes on where the last call ended."""


class Chain:
    """Impairments (or channels) one after another."""

    def __init__(self, *stages: Impairment) -> None:
        self.stages = stages
        self.delay = sum(stage.delay for stage in stages)

    def process(self, x: Array) -> Array:
        """Through all stages in order."""
        for stage in self.stages:
            x = stage.process(x)
        return x

    def flush(self) -> Array:
        """What stages that hold samples back still owe, sent through the stages after them; ends the stream."""
        rest = np.zeros(0, np.complex64)
        for stage in self.stages:
            rest = stage.process(rest)
            if hasattr(stage, "flush"):
                rest = np.concatenate([rest, stage.flush()])
        return rest
