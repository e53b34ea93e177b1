"""Two antennas at the transmitter, one or two at the receiver: Alamouti's code or spatial multiplexing over OFDM."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated, Any

import numpy as np

from semwave.blocks.channel import SnrDb
from semwave.modulation.noise import AwgnStream, n0_from_snr_db
from semwave.runtime import Array, ConnectError, Context, FrameBlock, In, Out, Packet, Param, Stream, SyncBlock

PROFILES = ("rayleigh", "rician", "TDL-A", "TDL-B", "TDL-C", "TDL-D", "TDL-E", "EPA", "EVA", "ETU")
ANTENNAS, RECEIVED = ("antenna0", "antenna1"), ("received0", "received1")


class MimoOfdmBlock(SyncBlock):
    """What both ends agree on: scheme, numerology, pilots, OFDM symbols of a frame."""

    scheme: Annotated[str, Param("what the antennas send", choices=("alamouti", "multiplexing"))] = "multiplexing"
    fft_size: Annotated[int, Param("carriers of the FFT", low=8)] = 256
    cp_len: Annotated[int, Param("cyclic prefix", unit="samples", low=0)] = 20
    active: Annotated[int, Param("occupied carriers around DC", low=2)] = 180
    sample_rate: Annotated[float, Param("complex samples a second", unit="Hz", low=1)] = 3.84e6
    pilot_pattern: Annotated[str, Param("where pilots sit", choices=("scattered", "comb", "block"))] = "scattered"
    pilot_spacing_f: Annotated[int, Param("pilot distance in frequency", unit="carriers", low=1)] = 6
    pilot_spacing_t: Annotated[int, Param("pilot distance in time", unit="symbols", low=1)] = 2
    frame_symbols: Annotated[int, Param("OFDM symbols of a frame", unit="symbols", low=2)] = 14

    def check(self) -> None:
        """The numerology must be possible."""
        from semwave.modulation.mimo import MimoFrame
        from semwave.modulation.ofdm.params import OfdmParams

        names = ("fft_size", "cp_len", "active", "sample_rate", "pilot_pattern", "pilot_spacing_f", "pilot_spacing_t")
        params = OfdmParams(**{name: getattr(self, name) for name in names})
        self._frame = MimoFrame(params, self.scheme, self.frame_symbols)


class MimoOfdmModulator(MimoOfdmBlock):
    """Make OFDM frames for two antennas, unit energy a carrier together, of symbols; each antenna has its own pilots.

    Frames follow each other without a gap; the receiver must know where the first one starts.
    """

    symbols = In(Stream(np.complex64))
    antenna0 = Out(Stream(np.complex64))
    antenna1 = Out(Stream(np.complex64))

    def negotiate(self, inputs: Any) -> dict[str, Any]:
        """Samples at ``sample_rate``."""
        return dict.fromkeys(ANTENNAS, Stream(np.complex64, sample_rate=self.sample_rate))

    def rate(self) -> Fraction:
        """Samples for each symbol."""
        return Fraction(self._frame.samples, self._frame.data)

    def step(self) -> int:
        """Whole frames."""
        return self._frame.data

    def work(self, symbols: Array) -> Any:
        """``[m * data] -> [m * samples]`` twice."""
        frames = [self._frame.modulate(row) for row in symbols.reshape(-1, self._frame.data)]
        return tuple(np.concatenate(frames, axis=1))


class MimoOfdmDemodulator(MimoOfdmBlock):
    """Estimate the channel of each antenna pair by its pilots and detect what two antennas sent, from one or two.

    ``noise_variance`` is each symbol's own after detection, for the demapper. One antenna is enough for ``alamouti``.
    """

    method: Annotated[str, Param("linear detector", choices=("mmse", "zf"))] = "mmse"
    doppler_hz: Annotated[float, Param("largest Doppler shift reckoned with", unit="Hz", low=0)] = 100.0

    received0 = In(Stream(np.complex64))
    received1 = In(Stream(np.complex64), optional=True)
    symbols = Out(Stream(np.complex64))
    noise_variance = Out(Stream(np.float32), optional=True)

    def negotiate(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """The samples must come at ``sample_rate``; multiplexing needs both antennas."""
        for name, spec in inputs.items():
            if spec.sample_rate not in (None, self.sample_rate):
                raise ConnectError(f"{name} comes at {spec.sample_rate:g}/s, but sample_rate is {self.sample_rate:g}")
        if self.scheme == "multiplexing" and "received1" not in inputs:
            raise ConnectError("received1 must be connected: multiplexing needs as many antennas as streams")
        return {"symbols": Stream(np.complex64), "noise_variance": Stream(np.float32)}

    def start(self, ctx: Context) -> None:
        """No frame was received yet."""
        self._ctx, self._noise, self._frames = ctx, 0.0, 0

    def rate(self) -> Fraction:
        """Symbols for each sample."""
        return Fraction(self._frame.data, self._frame.samples)

    def step(self) -> int:
        """Whole frames."""
        return self._frame.samples

    def work(self, *received: Array) -> Any:
        """``[m * samples]`` once or twice ``-> [m * data]`` twice."""
        frames = np.stack(received).reshape(len(received), -1, self._frame.samples)
        found = [self._frame.demodulate(frame, self.doppler_hz, self.method) for frame in np.moveaxis(frames, 1, 0)]
        self._frames += len(found)
        self._noise += sum(f.n0 for f in found)
        return np.concatenate([f.symbols for f in found]), np.concatenate([f.noise_variance for f in found])

    def finish(self) -> tuple[()]:
        """Leave the mean noise variance in the statistics."""
        if self._frames:
            self._ctx.facts.update({"frames": self._frames, "noise_variance": self._noise / self._frames})
        return ()


class MimoFadingChannel(FrameBlock):
    """Fading and noise between two and one or two antennas: independent links of one profile, correlated by Kronecker.

    Each link has unit mean power; the bulk delay of the fractional path delays is taken off. ``snr_db`` is what both
    antennas together send on a carrier over the noise of one receive antenna.
    """

    pairing = "any"
    profile: Annotated[str, Param("delay profile of each link", choices=PROFILES)] = "TDL-C"
    snr_db: SnrDb = 15.0
    doppler_hz: Annotated[float, Param("maximum Doppler shift", unit="Hz", low=0)] = 30.0
    delay_spread_s: Annotated[float, Param("rms delay spread (TDL profiles)", unit="s", low=0)] = 300e-9
    k_factor_db: Annotated[float, Param("line of sight over scattered power (rician)", unit="dB")] = 10.0
    correlation_tx: Annotated[float, Param("of the transmit antennas", low=0, high=0.999)] = 0.0
    correlation_rx: Annotated[float, Param("of the receive antennas", low=0, high=0.999)] = 0.0
    sample_rate: Annotated[float | None, Param("where the edge does not know it", unit="Hz", low=1)] = None

    antenna0 = In(Stream(np.complex64))
    antenna1 = In(Stream(np.complex64))
    received0 = Out(Stream(np.complex64))
    received1 = Out(Stream(np.complex64), optional=True)

    def negotiate(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """The sample rate must be known, from the edges or as a parameter, and be one."""
        said = [s.sample_rate for s in inputs.values()] + [self.sample_rate]
        rates = sorted({rate for rate in said if rate is not None})
        if not rates:
            raise ConnectError("nobody says how many samples a second there are: set sample_rate")
        if len(rates) > 1:
            raise ConnectError(f"samples must come at one rate, not {', '.join(f'{rate:g}' for rate in rates)} Hz")
        return dict.fromkeys(RECEIVED, Stream(np.complex64, sample_rate=rates[0]))

    def start(self, ctx: Context) -> None:
        """Draw the links; each antenna's noise has a generator of its own."""
        from semwave.modulation.mimo import MimoChannel

        options: dict[str, Any] = {"doppler_hz": self.doppler_hz}
        if self.profile.startswith("TDL"):
            options["delay_spread_s"] = self.delay_spread_s
        if self.profile == "rician":
            options["k_factor_db"] = self.k_factor_db
        self._rx = [name for name in RECEIVED if name in ctx.outputs]
        self._channel = MimoChannel(
            self.profile,
            sample_rate=ctx.outputs["received0"].sample_rate or 1.0,
            rng=ctx.rng(0),
            correlation_tx=self.correlation_tx,
            correlation_rx=self.correlation_rx,
            **options,
        )
        self._noise = [AwgnStream(ctx.rng(1 + i)) for i in range(2)]
        self._wait = {name: np.empty(0, np.complex64) for name in ANTENNAS}
        self._skip = self._channel.delay

    def work(self, port: str, packet: Packet) -> Iterator[tuple[str, Packet]]:
        """What both antennas have sent."""
        self._wait[port] = np.concatenate([self._wait[port], packet.data])
        n = min(map(len, self._wait.values()))
        if n:
            both = np.stack([self._wait[name][:n] for name in ANTENNAS])
            self._wait = {name: rest[n:] for name, rest in self._wait.items()}
            yield from self._through(both)

    def finish(self) -> Iterator[tuple[str, Packet]]:
        """What the bulk delay still holds."""
        yield from self._through(np.zeros((2, self._channel.delay), np.complex64))

    def _through(self, sent: Array) -> Iterator[tuple[str, Packet]]:
        heard = self._channel.process(sent)[:, self._skip :] if sent.shape[1] else sent
        self._skip -= min(self._skip, sent.shape[1])
        n0 = n0_from_snr_db(self.snr_db)
        for name, row, noise in zip(RECEIVED, heard, self._noise, strict=True):
            if name in self._rx and row.size:
                yield name, Packet(noise.add(row, n0))
