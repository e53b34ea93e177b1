"""Captures inside a link: a recording as interference, a measurement as the channel."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np

from semwave.blocks.channel import AirBlock
from semwave.runtime import Array, Context, Param
from semwave.runtime.errors import UserError

HASH_BYTES = 1 << 28  # larger recordings are named by the hash that they state


class CaptureInterferer(AirBlock):
    """Add a recording to samples as interference, ``ci_db`` below the wanted signal, from a random place on.

    C/I is measured within ``band_hz`` around the centre, and only where the recording is on the air. ``signal_power``
    is what the wanted signal has there; by default that of unit-energy carriers, band over sample rate. The recording
    is shifted, resampled to the link's rate, repeated without a seam; what was used stands in the run's facts.
    """

    path: Annotated[str, Param("recording", path=True)]
    ci_db: Annotated[float, Param("wanted over interfering power", unit="dB", low=-200, high=200)] = 10.0
    band_hz: Annotated[float | None, Param("width of the wanted signal's band; none: all", unit="Hz", low=1)] = None
    signal_power: Annotated[float | None, Param("mean power of the wanted signal in that band", low=1e-30)] = None
    shift_hz: Annotated[float, Param("move the recording's frequencies", unit="Hz")] = 0.0
    active: Annotated[
        str, Param("how to tell where it is on the air", choices=("auto", "annotations", "energy", "all"))
    ] = "auto"
    channel: Annotated[int, Param("of a multi-channel recording", low=0)] = 0
    begin_s: Annotated[float, Param("first second of the recording to use", unit="s", low=0)] = 0.0
    longest_s: Annotated[float, Param("seconds of it to use at most", unit="s", low=1e-6)] = 2.0

    def start(self, ctx: Context) -> None:
        """Read, shift, resample, measure, scale."""
        rate = self.known_rate(ctx.inputs)
        try:
            line, active, facts = self._read(rate)
        except ValueError as error:
            raise UserError(str(error)) from error
        band = rate if self.band_hz is None else min(self.band_hz, rate)
        wanted = band / rate if self.signal_power is None else self.signal_power
        gain = float(np.sqrt(wanted / self._power(line, active, rate, band) / 10 ** (self.ci_db / 10)))
        self._line = (line * np.float32(gain)).astype(np.complex64)
        self._at = int(self.seeding(ctx).rng().integers(self._line.size))
        ctx.facts.update(facts, ci_db=self.ci_db, band_hz=band, gain_db=20 * float(np.log10(gain)))
        ctx.facts.update(active_share=float(np.mean(active)), begins_at=self._at, seed=ctx.seed)

    def _power(self, line: Array, active: Array, rate: float, band: float) -> float:
        from semwave.modulation.interference import band_power

        try:
            power = band_power(line, active, rate, -band / 2, band / 2)
        except ValueError as error:
            raise UserError(f"{self.path}: {error}") from error
        if not power > 0:
            raise UserError(f"{self.path} has no power within {band:g} Hz around the centre: set shift_hz")
        return power

    def _read(self, rate: float) -> tuple[Array, Array, dict[str, Any]]:
        from semwave.modulation.interference import active_samples
        from semwave.modulation.resample import resample
        from semwave.recording import open_recording

        recording = open_recording(self.path)
        rate_in = recording.rate()
        first = min(round(self.begin_s * rate_in), recording.sample_count)
        last = min(recording.sample_count, first + max(1, round(self.longest_s * rate_in)))
        if first >= last:
            raise ValueError(f"{self.path} has no samples from {self.begin_s:g} s on")
        raw = recording.read(first, last - first, self.channel)
        raw = np.where(np.isfinite(raw.real) & np.isfinite(raw.imag), raw, 0).astype(np.complex64)
        line = resample(raw, rate_in, rate, shift_hz=self.shift_hz)
        notes = [a for a in recording.annotations if a.start < last and a.stop > first]
        how = self.active if self.active != "auto" else "annotations" if notes else "energy"
        if how == "annotations":
            active = np.zeros(line.size, bool)
            for a in notes:
                low, high = (round((i - first) * rate / rate_in) for i in (a.start, a.stop))
                active[max(0, low) : max(0, high)] = True
            if not active.any():
                raise ValueError(f"{self.path} has no annotations between samples {first} and {last}")
        else:
            active = active_samples(line) if how == "energy" else np.ones(line.size, bool)
        return line, active, {**_named(recording), "span": [first, last], "active": how, "shift_hz": self.shift_hz}

    def work(self, samples: Array) -> Array:
        """``[n] -> [n]``."""
        at = (self._at + np.arange(samples.size)) % self._line.size
        self._at = (self._at + samples.size) % self._line.size
        return np.asarray(samples + self._line[at], np.complex64)


class MeasuredChannel(AirBlock):
    """Send samples through a measured channel of mean power 1, its responses interpolated over time.

    ``path`` is an .npz file with ``H`` [snapshot, carrier], ``subcarrier``, ``spacing_hz`` and ``t_us``, or with real
    pass-band ``h`` [snapshot, n] and ``fs``; or a recording of 802.11 frames, whose channel estimates are used (those
    of the transmitter heard most, or of ``transmitter``). It goes through the measurement back and forth from a random
    place on, ``speed`` times as fast. Changes faster than half of the snapshots' rate were not measured.
    """

    path: Annotated[str, Param(".npz file or recording", path=True)]
    centre_hz: Annotated[float, Param("centre of a pass-band measurement", unit="Hz", low=0)] = 1.2e6
    stretch: Annotated[float, Param("play delays so many times shorter", low=1e-6)] = 1.0
    interval_s: Annotated[float, Param("between responses that state no times", unit="s", low=1e-9)] = 0.1
    window_s: Annotated[float, Param("longest delay that is no noise", unit="s", low=1e-9)] = 1.6e-6
    normalise: Annotated[str, Param("mean power of all snapshots, or of each", choices=("mean", "each"))] = "mean"
    speed: Annotated[float, Param("of the changes over time", low=0)] = 1.0
    transmitter: Annotated[str, Param("MAC address whose frames are used")] = ""

    def start(self, ctx: Context) -> None:
        """Read the responses and draw where to begin."""
        from semwave.modulation.measured import MeasuredFading

        rate = self.known_rate(ctx.inputs)
        try:
            found, facts = self._responses(rate)
        except ValueError as error:
            raise UserError(f"{self.path}: {error}") from error
        length = float(found.times_s[-1] - found.times_s[0])
        offset_s = float(self.seeding(ctx).rng().uniform(0, 2 * length)) if length else 0.0
        self._fading = MeasuredFading(found, offset_s=offset_s, speed=self.speed)
        steps = np.diff(found.times_s)
        ctx.facts.update(
            facts, snapshots=len(found.taps), taps=found.taps.shape[1], measured_s=length, begins_at_s=offset_s,
            seed=ctx.seed, bandwidth_hz=found.bandwidth_hz, normalise=self.normalise, speed=self.speed,
            doppler_limit_hz=self.speed / (2 * float(np.median(steps))) if steps.size else 0.0,
        )  # fmt: skip
        if found.bandwidth_hz < 0.6 * rate:
            ctx.warn(f"{self.path} was measured over {found.bandwidth_hz:.4g} Hz of the link's {rate:.4g} Hz")

    def _responses(self, rate: float) -> tuple[Any, dict[str, Any]]:
        from semwave.modulation.measured import from_csi, from_passband

        file = Path(self.path)
        if file.suffix != ".npz":
            csi, carriers, times, facts = _decoded(self.path, self.transmitter)
            return from_csi(csi, carriers, 312.5e3 * self.stretch, times, rate, window_s=self.window_s,
                            normalise=self.normalise), facts  # fmt: skip
        data, facts = _arrays(file)
        if "H" in data:
            times = data["t_us"] * 1e-6 if "t_us" in data else self.interval_s * np.arange(len(data["H"]))
            keep = np.concatenate([[True], np.diff(np.maximum.accumulate(times)) > 0])
            spacing = float(data["spacing_hz"]) * self.stretch
            return from_csi(data["H"][keep], data["subcarrier"], spacing, times[keep], rate, window_s=self.window_s,
                            normalise=self.normalise), facts  # fmt: skip
        if "h" not in data or "fs" not in data:
            raise ValueError(f"it must hold H and subcarrier, or h and fs, not {', '.join(data)}")
        times = self.interval_s * np.arange(len(data["h"]))
        return from_passband(data["h"], float(data["fs"]) * self.stretch, self.centre_hz * self.stretch, times, rate,
                             normalise=self.normalise), facts  # fmt: skip

    def work(self, samples: Array) -> Array:
        """``[n] -> [n]``."""
        return self._fading.process(samples)


def _named(recording: Any) -> dict[str, Any]:
    """Path and SHA-512 of a recording's data; of a large one, what it states."""
    if sum(part.data.size for part in recording.parts) <= HASH_BYTES:
        return {"file": recording.where, "sha512": recording.hash_check().actual}
    return {"file": recording.where, "sha512_stated": recording.metadata["global"].get("core:sha512")}


def _arrays(file: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """The arrays of an .npz file, nothing unpickled, and its hash."""
    import hashlib

    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha512").hexdigest()
    with np.load(file, allow_pickle=False) as found:
        data = {name: found[name] for name in found.files}
    return data, {"file": str(file), "sha512": digest}


def _decoded(path: str, transmitter: str) -> tuple[Array, Array, Array, dict[str, Any]]:
    """Channel estimates of the good 802.11 frames of one transmitter, on carriers -26 ... 26, and their times."""
    from collections import Counter

    from semwave.modulation.ieee80211.params import HT, LEGACY
    from semwave.recording import open_recording
    from semwave.replay.run import Replay, make_receiver

    recording = open_recording(path)
    frames = [f for f in Replay(recording, make_receiver("ieee80211")) if f.check]
    heard = Counter(f.facts.get("mac_ta", "") for f in frames)
    who = transmitter.lower() or (heard.most_common(1)[0][0] if heard else "")
    frames = [f for f in frames if f.facts.get("mac_ta", "") == who]
    if not frames:
        heard_from = ", ".join(w or "unnamed" for w in heard) or "nobody"
        raise ValueError(f"no good 802.11 frame of {transmitter or 'anybody'} is in it; heard: {heard_from}")
    common = np.flatnonzero(np.isin(HT.all, LEGACY.all))
    rows = [f.source.channel if f.source.channel.size == LEGACY.all.size else f.source.channel[common] for f in frames]
    times = np.array([f.time_s or 0.0 for f in frames])
    facts = {**_named(recording), "span": [frames[0].start, frames[-1].start + frames[-1].count], "transmitter": who}
    return np.stack(rows), LEGACY.all, times, facts
