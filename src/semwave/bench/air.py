"""The air between two radios as one call: a scene goes in, what the receiver makes of it comes out, all uses counted.

Two modems: ``ofdm``, the complete one (preamble, header, pilots, cyclic prefix; the receiver finds, synchronises and
estimates), and ``symbols``, one complex gain and noise a symbol with the channel known to the receiver, as most papers
of the field have it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.modulation import qam, scene
from semwave.modulation.noise import complex_normal, n0_from_snr_db

Array = NDArray[Any]
MODEMS, FLAT = ("ofdm", "symbols"), ("awgn", "rayleigh", "rician")
PROFILES = (*FLAT, *(f"TDL-{x}" for x in "ABCDE"), "EPA", "EVA", "ETU", "measured")
VERSION = 2  # of the receiver: change it whenever other layers get through, so that points are computed anew
GAP, FADING, NOISE, PLACES = 400, 0, 1, 2  # samples of silence around a burst; spawn keys of the generators


@dataclass(frozen=True)
class Channel:
    """What happens between transmitter and receiver; ``snr_db`` is the mean Es/N0 of a unit-energy symbol.

    ``profile``: awgn, rayleigh, rician, TDL-A ... TDL-E, EPA, EVA, ETU, or ``measured`` (``path``: an .npz file or a
    recording of 802.11 frames). ``interference`` is a recording that is added ``ci_db`` below the signal. With modem
    ``symbols``, ``block`` symbols in a row share a gain (0: all of a burst).
    """

    profile: str = "awgn"
    snr_db: float = 10.0
    modem: str = "ofdm"
    doppler_hz: float = 0.0
    delay_spread_s: float = 300e-9
    k_factor_db: float = 10.0
    cfo_hz: float = 0.0
    block: int = 1
    path: str = ""
    speed: float = 1.0
    interference: str = ""
    ci_db: float = 10.0

    def __post_init__(self) -> None:
        if self.modem not in MODEMS:
            raise ValueError(f"modem must be one of {', '.join(MODEMS)}, not {self.modem!r}")
        if self.profile not in PROFILES:
            raise ValueError(f"profile must be one of {', '.join(PROFILES)}, not {self.profile!r}")
        if self.modem == "symbols" and (self.profile not in FLAT or self.interference):
            what = self.profile if self.profile not in FLAT else "interference"
            raise ValueError(f'modem "symbols" has flat channels ({", ".join(FLAT)}) alone: {what} needs "ofdm"')
        if (self.profile == "measured") != bool(self.path):
            raise ValueError('path goes with profile "measured": give both')
        if self.block < 0:
            raise ValueError(f"block must be 0 or more symbols, not {self.block}")

    def label(self) -> str:
        """What people call it, without the SNR: ``TDL-C 300 ns 30 Hz``."""
        parts = [{"awgn": "AWGN", "rayleigh": "Rayleigh", "rician": "Rician"}.get(self.profile, self.profile)]
        if self.profile == "rician":
            parts.append(f"K {self.k_factor_db:g} dB")
        if self.profile.startswith("TDL"):
            parts.append(f"{self.delay_spread_s * 1e9:g} ns")
        if self.profile not in ("awgn", "measured") and self.modem == "ofdm":
            parts.append(f"{self.doppler_hz:g} Hz")
        if self.interference:
            parts.append(f"C/I {self.ci_db:g} dB")
        return " ".join(parts) + (", symbols" if self.modem == "symbols" else "")

    def as_dict(self) -> dict[str, Any]:
        """All fields."""
        return asdict(self)


@dataclass(frozen=True)
class Arrival:
    """What came of one scene."""

    status: str
    """"ok" (the header was read; layers may be lost) or "lost"."""
    header: scene.SceneHeader | None
    layers: Mapping[str, bytes | None]
    """Bytes of the coded layers sent; None where the check failed."""
    raw: Array
    """Raw symbols of the key layer, equalised: complex64 [n]."""
    raw_noise: Array
    """Their noise variances, float32 [n]; infinite where nothing was received."""
    payload: int
    """Channel uses of the layers."""
    total: int
    """Channel uses of everything: with ``ofdm`` samples of the burst x active carriers / FFT size."""
    report: Mapping[str, Any]
    """What the receiver estimated: SNR, offset, Doppler."""

    def layer(self, name: str) -> bytes | None:
        """The layer's bytes, None when it was lost or not sent."""
        return self.layers.get(name)


class Air:
    """One realisation of a channel: the same ``seed`` fades and hisses alike, whatever is sent, as often as it is."""

    def __init__(self, channel: Channel, seed: int) -> None:
        self.channel, self.seed = channel, seed

    def _rng(self, what: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(what,)))

    def at(self, **changes: Any) -> "Air":
        """The same realisation with other values of the channel, say another SNR."""
        return Air(replace(self.channel, **changes), self.seed)

    def send(self, header: scene.SceneHeader, data: Mapping[str, bytes], raw: Array | None = None) -> Arrival:
        """Send a scene: the bytes of its layers, and the key layer's raw symbols where its entry has any."""
        head = qam.map_bits(scene.encode_header(header), 4)
        payload = _payload(header, data, raw)
        if self.channel.modem == "symbols":
            return self._symbols(head, payload)
        return self._ofdm(head, payload)

    # ---- modem "symbols" -----------------------------------------------------------------------------------

    def _symbols(self, head: Array, payload: Array) -> Arrival:
        sent = np.concatenate([head, payload])
        gains = self._gains(sent.size)
        n0 = n0_from_snr_db(self.channel.snr_db)
        received = sent * gains + complex_normal(self._rng(NOISE), sent.size, n0)
        power = np.maximum(np.abs(gains) ** 2, 1e-12)
        symbols = (received * np.conj(gains) / power).astype(np.complex64)
        noise = (n0 / power).astype(np.float32)
        header = scene.decode_header(symbols[: head.size], noise[: head.size])
        report = {"snr_db": float(10 * np.log10(np.mean(power) / n0))}
        return _arrival(header, symbols[head.size :], noise[head.size :], payload.size, sent.size, report)

    def _gains(self, n: int) -> Array:
        """Unit mean power; ``block`` symbols in a row share a gain."""
        c = self.channel
        if c.profile == "awgn":
            return np.ones(n, np.complex64)
        blocks = -(-n // c.block) if c.block else 1
        drawn = complex_normal(self._rng(FADING), blocks)
        if c.profile == "rician":
            ratio = 10 ** (c.k_factor_db / 10)
            drawn = (np.sqrt(ratio) + drawn) / np.sqrt(1 + ratio)
        return np.repeat(drawn, c.block or n)[:n].astype(np.complex64)

    # ---- modem "ofdm" --------------------------------------------------------------------------------------

    def _ofdm(self, head: Array, payload: Array) -> Arrival:
        from semwave.modulation.ofdm.params import OfdmParams
        from semwave.modulation.ofdm.receive import BurstReceiver
        from semwave.modulation.ofdm.transmit import BurstTransmitter

        params = OfdmParams()
        transmitter = BurstTransmitter(params, head.size)
        burst = transmitter.burst(head, payload)
        account = transmitter.symbols_used(payload.size)
        total = round(account["samples"] * params.active / params.fft_size)
        silence = np.zeros(GAP, np.complex64)
        samples = self._channel(np.concatenate([silence, burst, silence]), params)
        receiver = BurstReceiver(params, head.size, _payload_length, max_payload=1 << 21)
        found = receiver.push(samples) + receiver.finish()
        best = next((b for b in found if b.status != "header"), None)
        if best is None:
            return _arrival(None, np.empty(0), np.empty(0), payload.size, total, {})
        header = scene.decode_header(best.header, best.header_noise_variance)
        report = {n: float(getattr(best.report, n)) for n in ("snr_db", "evm_db", "cfo_hz", "doppler_hz")}
        return _arrival(header, best.payload, best.noise_variance, payload.size, total, report)

    def _channel(self, x: Array, params: Any) -> Array:
        """Fading or measurement, interference, carrier offset, noise."""
        from semwave.modulation.impairments import CarrierOffset

        c = self.channel
        if c.profile == "measured":
            x = self._block(x, "MeasuredChannel", params, path=c.path, speed=c.speed)
        elif c.profile != "awgn":
            x = self._fading(params.sample_rate).process(x)
        if c.interference:
            band = params.active * params.sample_rate / params.fft_size
            x = self._block(x, "CaptureInterferer", params, path=c.interference, ci_db=c.ci_db, band_hz=band)
        if c.cfo_hz:
            x = CarrierOffset(sample_rate=params.sample_rate, cfo_hz=c.cfo_hz).process(x)
        noise = complex_normal(self._rng(NOISE), x.size, n0_from_snr_db(c.snr_db))
        return np.asarray(x + noise, np.complex64)

    def _fading(self, rate: float) -> Any:
        from semwave.modulation import fading

        c = self.channel
        options: dict[str, Any] = {"doppler_hz": c.doppler_hz}
        if c.profile.upper().startswith("TDL"):
            options["delay_spread_s"] = c.delay_spread_s
        if c.profile == "rician":
            options["k_factor_db"] = c.k_factor_db
        return fading.create(c.profile, sample_rate=rate, rng=self._rng(FADING), **options)

    def _block(self, x: Array, name: str, params: Any, **values: Any) -> Array:
        """Samples through a block of the flowgraphs, by name."""
        from semwave.runtime import Context, Stream
        from semwave.runtime.registry import block_class

        block = block_class(name)(**values)
        edge = Stream(np.complex64, sample_rate=params.sample_rate)
        seed = int(self._rng(PLACES).integers(1 << 62))
        block.start(Context(name, seed, {"samples": edge}, {"received": edge}, x.size))
        try:
            return np.asarray(getattr(block, "work")(x), np.complex64)  # noqa: B009 (not on Block itself)
        finally:
            block.stop()


def _payload(header: scene.SceneHeader, data: Mapping[str, bytes], raw: Array | None) -> Array:
    """The symbols of all layers in the order in which they are sent."""
    parts = [np.empty(0, np.complex64)]
    for part in scene.segments(header):
        if part.raw:
            if raw is None or raw.size != part.symbols:
                raise ValueError(f"raw must be {part.symbols} symbols, as the header says")
            parts.append(raw.astype(np.complex64))
        else:
            bits = scene.encode_layer(data[part.layer], header.layer(part.layer).mcs)
            parts.append(qam.map_bits(bits, part.order))
    return np.concatenate(parts)


def _payload_length(symbols: Array, noise_variance: Array) -> int | None:
    header = scene.decode_header(symbols, noise_variance)
    try:
        return None if header is None else scene.payload_symbols(header)
    except ValueError:
        return None


def _arrival(
    header: scene.SceneHeader | None, symbols: Array, noise: Array, payload: int, total: int, report: dict[str, Any]
) -> Arrival:
    report = {k: v for k, v in report.items() if np.isfinite(v)}
    layers: dict[str, bytes | None] = {}
    raw, raw_noise = np.empty(0, np.complex64), np.empty(0, np.float32)
    if header is None:
        return Arrival("lost", None, layers, raw, raw_noise, payload, total, report)
    for part in scene.segments(header):
        here = slice(part.start, part.start + part.symbols)
        if part.raw:
            raw, raw_noise = symbols[here], noise[here]
        else:
            entry = header.layer(part.layer)
            llr = qam.demap_llr(symbols[here], part.order, noise[here])
            layers[part.layer] = scene.decode_layer(llr, entry.length, entry.mcs)
    return Arrival("ok", header, layers, raw, raw_noise, payload, total, report)
