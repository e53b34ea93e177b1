"""What radios do to samples: one block an impairment, to be put anywhere in a chain."""

from collections.abc import Iterable
from typing import Annotated, Any

import numpy as np

from semwave.runtime import Array, ConnectError, Context, FrameBlock, In, Out, Packet, Param, Stream, SyncBlock, Tag


def _rate(block: Any, ctx: Context) -> float:
    """The samples' rate, from the edge; raises ConnectError when nobody knows it."""
    rate = ctx.inputs["samples"].sample_rate
    if rate is None:
        raise ConnectError(f"{type(block).__name__} needs the sample rate, and no block before it says one")
    return rate


class Impairment(SyncBlock):
    """Base of the impairments: ``make`` gives an object of ``semwave.modulation.impairments``."""

    samples = In(Stream(np.complex64))
    impaired = Out(Stream(np.complex64))

    def make(self, ctx: Context) -> Any:
        """The stage that does the work."""
        raise NotImplementedError

    def start(self, ctx: Context) -> None:
        """Build the stage."""
        self._stage = self.make(ctx)

    def work(self, samples: Array) -> Array:
        """``[n] -> [n]``."""
        return self._stage.process(samples)


class CarrierOffset(Impairment):
    """Turn samples by a carrier frequency offset that may drift."""

    cfo_hz: Annotated[float, Param("offset at the first sample", unit="Hz")] = 0.0
    drift_hz_per_s: Annotated[float, Param("drift", unit="Hz/s")] = 0.0
    phase_rad: Annotated[float, Param("phase at the first sample", unit="rad")] = 0.0

    def make(self, ctx: Context) -> Any:
        """The oscillators' difference."""
        from semwave.modulation.impairments import CarrierOffset as Stage

        return Stage(
            sample_rate=_rate(self, ctx),
            cfo_hz=self.cfo_hz,
            drift_hz_per_s=self.drift_hz_per_s,
            phase_rad=self.phase_rad,
        )


class TimingOffset(Impairment):
    """Delay samples by a whole or fractional number of samples (band-limited)."""

    delay_samples: Annotated[float, Param("delay", unit="samples", low=0)] = 0.5

    def make(self, ctx: Context) -> Any:
        """The delay."""
        from semwave.modulation.impairments import TimingOffset as Stage

        return Stage(delay_samples=self.delay_samples)


class PhaseNoise(Impairment):
    """Phase noise of an oscillator: a Wiener process of some linewidth, or a synthesiser's mask (TR 38.803, 6.1.11)."""

    kind: Annotated[str, Param("model", choices=("wiener", "pll"))] = "wiener"
    linewidth_hz: Annotated[float, Param("3 dB linewidth (wiener)", unit="Hz", low=0)] = 10.0
    mask: Annotated[str, Param("set of poles and zeros (pll)", choices=("A", "B"))] = "A"
    carrier_hz: Annotated[float | None, Param("carrier that the mask is scaled to (pll)", unit="Hz", low=0)] = None

    def make(self, ctx: Context) -> Any:
        """The oscillator."""
        from semwave.modulation import impairments

        rate, rng = _rate(self, ctx), ctx.rng()
        if self.kind == "wiener":
            return impairments.WienerPhaseNoise(sample_rate=rate, linewidth_hz=self.linewidth_hz, rng=rng)
        return impairments.PllPhaseNoise(sample_rate=rate, rng=rng, mask=self.mask, carrier_hz=self.carrier_hz)


class IqImbalance(Impairment):
    """Gain and phase mismatch between the I and Q branches."""

    gain_db: Annotated[float, Param("I over Q", unit="dB")] = 0.0
    phase_deg: Annotated[float, Param("angle off 90 degrees", unit="degrees")] = 0.0

    def make(self, ctx: Context) -> Any:
        """The mixer."""
        from semwave.modulation.impairments import IqImbalance as Stage

        return Stage(gain_db=self.gain_db, phase_deg=self.phase_deg)


class DcOffset(Impairment):
    """A constant added to every sample."""

    power_db: Annotated[float, Param("power over a unit-power signal", unit="dB")] = -20.0
    angle_rad: Annotated[float, Param("angle", unit="rad")] = 0.0

    def make(self, ctx: Context) -> Any:
        """The leak."""
        from semwave.modulation.impairments import DcOffset as Stage

        return Stage(power_db=self.power_db, angle_rad=self.angle_rad)


class PowerAmplifier(Impairment):
    """A saturating amplifier: Rapp (solid state) or Saleh (travelling-wave tube)."""

    kind: Annotated[str, Param("model", choices=("rapp", "saleh"))] = "rapp"
    input_backoff_db: Annotated[float, Param("saturation power over unit mean power", unit="dB")] = 6.0
    smoothness: Annotated[float, Param("knee factor p (rapp)", low=0.01)] = 2.0

    def make(self, ctx: Context) -> Any:
        """The amplifier."""
        from semwave.modulation import impairments

        if self.kind == "saleh":
            return impairments.SalehAmplifier(input_backoff_db=self.input_backoff_db)
        return impairments.RappAmplifier(input_backoff_db=self.input_backoff_db, smoothness=self.smoothness)


class Quantizer(Impairment):
    """Round I and Q to ``bits`` bits between -``full_scale`` and ``full_scale``, as converters do."""

    bits: Annotated[int, Param("bits of each of I and Q", unit="bits", low=1, high=24)] = 12
    full_scale: Annotated[float, Param("largest value", low=1e-9)] = 4.0

    def make(self, ctx: Context) -> Any:
        """The converter."""
        from semwave.modulation.impairments import Quantizer as Stage

        return Stage(bits=self.bits, full_scale=self.full_scale)


class Clipper(Impairment):
    """Limit the magnitude of samples, their phase kept."""

    level_db: Annotated[float, Param("limit over unit mean power", unit="dB")] = 8.0

    def make(self, ctx: Context) -> Any:
        """The limiter."""
        from semwave.modulation.impairments import Clipper as Stage

        return Stage(level_db=self.level_db)


class BlockFading(Impairment):
    """One gain for each block of samples, Rayleigh or (with ``k_factor_db``) Rician, independent from block to
    block.
    """

    block_len: Annotated[int, Param("samples with one gain", unit="samples", low=1)] = 4096
    k_factor_db: Annotated[float | None, Param("line of sight over scattered power", unit="dB")] = None

    def make(self, ctx: Context) -> Any:
        """The gains."""
        from semwave.modulation.fading import BlockFading as Stage

        return Stage(
            sample_rate=_rate(self, ctx), rng=ctx.rng(), block_len=self.block_len, k_factor_db=self.k_factor_db
        )


class Shadowing(Impairment):
    """Log-normal shadowing with an exponential autocorrelation, unit mean power."""

    sigma_db: Annotated[float, Param("standard deviation", unit="dB", low=0)] = 8.0
    decorrelation_s: Annotated[float, Param("time constant", unit="s", low=1e-9)] = 1.0

    def make(self, ctx: Context) -> Any:
        """The gains."""
        from semwave.modulation.fading import Shadowing as Stage

        return Stage(
            sample_rate=_rate(self, ctx), rng=ctx.rng(), sigma_db=self.sigma_db, decorrelation_s=self.decorrelation_s
        )


class SampleClockOffset(FrameBlock):
    """Resample by a clock error in parts per million: a fast clock (above 0) gives more samples than come in."""

    ppm: Annotated[float, Param("clock error", unit="ppm", low=-1e5, high=1e5)] = 10.0

    samples = In(Stream(np.complex64))
    impaired = Out(Stream(np.complex64))

    def start(self, ctx: Context) -> None:
        """Build the resampler."""
        from semwave.modulation.impairments import SampleClockOffset as Stage

        self._stage, self._made = Stage(ppm=self.ppm), 0
        self._held: tuple[Tag, ...] = ()  # tags whose sample is not out yet

    def work(self, samples: Packet) -> Iterable[Packet]:
        """What is due; tags move to the sample at their time."""
        scale = 1 + self.ppm * 1e-6
        self._held += tuple(t._replace(at=round(t.at * scale)) for t in samples.tags)
        yield self._packet(self._stage.process(samples.data))

    def finish(self) -> Iterable[Packet]:
        """What is still due."""
        yield self._packet(self._stage.flush())

    def _packet(self, out: Array) -> Packet:
        first = self._made
        self._made += len(out)
        due = tuple(t for t in self._held if t.at < self._made)
        self._held = tuple(t for t in self._held if t.at >= self._made)
        return Packet(out, first, due)
