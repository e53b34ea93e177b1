"""Channels: what happens to samples between antennas."""

from typing import Annotated, Any

import numpy as np

from semwave.modulation.noise import AwgnStream, n0_from_snr_db
from semwave.runtime import Array, ConnectError, Context, In, Out, Param, Stream, SyncBlock

SnrDb = Annotated[float, Param("mean Es/N0 of a unit-energy symbol", unit="dB", low=-60, high=200, tunable=True)]
PROFILES = (
    "awgn", "rayleigh", "rician", "TDL-A", "TDL-B", "TDL-C", "TDL-D", "TDL-E", "EPA", "EVA", "ETU", "custom",
)  # fmt: skip


class AwgnChannel(SyncBlock):
    """Add white Gaussian noise of variance ``n0 = 10**(-snr_db/10)`` a complex sample.

    With unit-energy symbols and a unitary FFT this is Es/N0 on every carrier.
    """

    snr_db: SnrDb = 10.0

    samples = In(Stream(np.complex64))
    received = Out(Stream(np.complex64))

    def start(self, ctx: Context) -> None:
        """Take the seed."""
        self._noise = AwgnStream(ctx.rng())

    def work(self, samples: Array) -> Array:
        """``[n] -> [n]``."""
        return self._noise.add(samples, n0_from_snr_db(self.snr_db))


class AirBlock(SyncBlock):
    """What lies between two antennas: samples at a known rate in and out, seeded by the block's name or another."""

    sample_rate: Annotated[float | None, Param("where the edge does not know it", unit="Hz", low=1)] = None
    realization: Annotated[str, Param("name that seeds it; empty: the block's own")] = ""

    samples = In(Stream(np.complex64))
    received = Out(Stream(np.complex64))

    def negotiate(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """The sample rate must be known, from the edge or as a parameter."""
        return {"received": Stream(np.complex64, sample_rate=self.known_rate(inputs))}

    def known_rate(self, inputs: dict[str, Any]) -> float:
        """Samples a second; raises ConnectError when nobody says it, or two disagree."""
        known: float | None = inputs["samples"].sample_rate
        if known is None and self.sample_rate is None:
            raise ConnectError("nobody says how many samples a second there are: set sample_rate")
        if None not in (known, self.sample_rate) and known != self.sample_rate:
            raise ConnectError(f"samples come at {known:g}/s, but sample_rate is {self.sample_rate:g} Hz")
        return float(known or self.sample_rate or 0)

    def seeding(self, ctx: Context) -> Context:
        """The context that seeds this block: its own, or that of the name in ``realization``."""
        return Context(self.realization, ctx.seed, {}, {}, ctx.chunk) if self.realization else ctx


class FadingChannel(AirBlock):
    """Fading, carrier offset and noise: the air between two antennas, mean power 1.

    ``profile``: ``awgn``, flat ``rayleigh`` or ``rician``, TDL-A to TDL-E of TR 38.901 (7.7.2) scaled to
    ``delay_spread_s``, EPA, EVA, ETU of TS 36.104 (annex B.2), or ``custom`` paths. ``snr_db`` is Es/N0 of a
    unit-energy symbol before
    fading: ``n0 = 10**(-snr_db/10)`` a complex sample. Two channels with the same ``realization`` in one graph fade and
    hiss alike, so that two systems can be compared on the same air.
    """

    profile: Annotated[str, Param("delay profile", choices=PROFILES)] = "TDL-C"
    snr_db: SnrDb = 8.0
    doppler_hz: Annotated[float, Param("maximum Doppler shift", unit="Hz", low=0)] = 30.0
    delay_spread_s: Annotated[float, Param("rms delay spread (TDL profiles)", unit="s", low=0)] = 300e-9
    delays_s: Annotated[tuple[float, ...], Param("delays of the paths (custom)", unit="s")] = ()
    powers_db: Annotated[tuple[float, ...], Param("mean powers of the paths, scaled to sum 1 (custom)", unit="dB")] = ()
    k_factor_db: Annotated[float, Param("line of sight over scattered power (rician)", unit="dB")] = 10.0
    cfo_hz: Annotated[float, Param("carrier frequency offset", unit="Hz")] = 0.0

    gains = Out(
        Stream(np.complex64),
        optional=True,
        doc="true gain at the carrier, each sample: all there is to know of a flat profile, for genie receivers",
    )

    def check(self) -> None:
        """A profile of one's own needs paths."""
        if (self.profile == "custom") != bool(self.delays_s) or len(self.delays_s) != len(self.powers_db):
            raise ValueError(
                "delays_s and powers_db go with profile 'custom': give both, as many of one as of the other"
            )

    def negotiate(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """The gains come at the samples' rate."""
        outputs = super().negotiate(inputs)
        return {**outputs, "gains": outputs["received"]}

    def start(self, ctx: Context) -> None:
        """Draw the fading; noise has a generator of its own, so that its draws do not move with the profile's."""
        from semwave.modulation import fading
        from semwave.modulation.impairments import CarrierOffset

        like = self.seeding(ctx)
        self._noise, self._at = AwgnStream(like.rng(1)), 0
        rate = ctx.outputs["received"].sample_rate if "received" in ctx.outputs else self.sample_rate
        assert rate is not None
        self._carrier, self._carrier_of_gains = (CarrierOffset(sample_rate=rate, cfo_hz=self.cfo_hz) for _ in range(2))
        options: dict[str, Any] = {}
        if self.profile != "awgn":
            options["doppler_hz"] = self.doppler_hz
        if self.profile.startswith("TDL"):
            options["delay_spread_s"] = self.delay_spread_s
        if self.profile == "custom":
            options.update(delays_s=self.delays_s, powers_db=self.powers_db)
        if self.profile == "rician":
            options["k_factor_db"] = self.k_factor_db
        self._tell = "gains" in ctx.outputs
        self._fading: Any = fading.create(
            "none" if self.profile == "awgn" else self.profile, sample_rate=rate, rng=like.rng(0), **options
        )

    def work(self, samples: Array) -> Any:
        """``[n] -> [n]``, with the true gains where somebody listens."""
        gains = self._true_gains(len(samples)) if self._tell else None
        turned = self._carrier.process(self._fading.process(samples))
        self._at += len(samples)
        received = self._noise.add(turned, n0_from_snr_db(self.snr_db))
        return received, gains

    def _true_gains(self, n: int) -> Array:
        gains: Array = np.ones(n, np.complex64)
        if self.profile != "awgn":
            gains = self._fading.gains_at(np.arange(self._at, self._at + n)).sum(axis=-1).astype(np.complex64)
        return self._carrier_of_gains.process(gains)
