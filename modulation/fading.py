"""Fading channels that stream: any cut of the input gives the same output, bit for bit, and state carries on.

All channels have unit mean power, take their randomness from the generator passed in, and measure in Hz, seconds
and dB. ``process`` is causal; the interpolation filters of fractional path delays need a bulk delay of ``delay``
samples on top of the paths' own. ``taps_at`` and ``frequency_response`` tell the truth to tests and genie receivers.
"""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from semwave.modulation import fading_profiles as profiles
from semwave.modulation.fading_slow import BlockFading, Shadowing
from semwave.modulation.multipath import FILTER_LENGTH, MultipathChannel, as_samples

Array = npt.NDArray[Any]

__all__ = [
    "BlockFading", "Channel", "CustomChannel", "FlatFading", "Identity", "LteChannel", "MultipathChannel",
    "Shadowing", "TdlChannel", "create", "names",
]  # fmt: skip


class Channel(Protocol):
    """What every channel offers."""

    delay: int

    def process(self, x: Array) -> Array:
        """`[n]` complex -> `[n]` complex64, going on where the last call ended."""

    def taps_at(self, sample_index: int) -> Array:
        """True impulse response behind one output sample, `[lags]` complex64."""

    def frequency_response(self, sample_index: int, freqs_hz: Array) -> Array:
        """True response at one output sample without the bulk delay, `[f]` Hz -> `[f]` complex64."""


class Identity:
    """No fading at all: what "none" and "awgn" stand for."""

    delay = 0

    def process(self, x: Array) -> Array:
        """`[n]` complex -> the same samples as complex64."""
        return as_samples(x)

    def taps_at(self, sample_index: int) -> Array:
        """One tap of 1."""
        return np.ones(1, np.complex64)

    def frequency_response(self, sample_index: int, freqs_hz: Array) -> Array:
        """1 at every frequency."""
        return np.ones(np.shape(freqs_hz), np.complex64)


class FlatFading(MultipathChannel):
    """Flat Rayleigh fading, or Rician with ``k_factor_db`` (power of the line of sight over that of the rest).

    The line of sight is shifted by doppler_hz cos(los_angle_rad). N sinusoids of equal strength miss the Rayleigh
    distribution and its level crossing rate by about 0.6/N, hence more of them than for the paths of a delay line.
    """

    def __init__(
        self,
        *,
        sample_rate: float,
        rng: np.random.Generator,
        doppler_hz: float = 0.0,
        k_factor_db: float | None = None,
        los_angle_rad: float = 0.0,
        sinusoids: int = 128,
    ) -> None:
        if k_factor_db is None:
            profile = profiles.custom([0.0], [0.0])
        elif np.isfinite(k_factor_db):
            profile = profiles.custom([0.0, 0.0], [k_factor_db, 0.0], [True, False])
        else:
            raise ValueError(f"k_factor_db must be a finite number of dB, not {k_factor_db}")
        super().__init__(
            profile, sample_rate=sample_rate, rng=rng, doppler_hz=doppler_hz,
            los_doppler_hz=doppler_hz * float(np.cos(los_angle_rad)), sinusoids=sinusoids,
        )  # fmt: skip


class TdlChannel(MultipathChannel):
    """TDL-A to TDL-E (TR 38.901, 7.7.2); the line of sight of D and E is shifted by 0.7 of the maximum Doppler."""

    def __init__(
        self,
        profile: str = "TDL-C",
        *,
        sample_rate: float,
        rng: np.random.Generator,
        delay_spread_s: float = 300e-9,
        doppler_hz: float = 0.0,
        k_factor_db: float | None = None,
        sinusoids: int = 32,
        filter_length: int = FILTER_LENGTH,
    ) -> None:
        super().__init__(
            profiles.tdl(profile, delay_spread_s, k_factor_db), sample_rate=sample_rate, rng=rng,
            doppler_hz=doppler_hz, los_doppler_hz=0.7 * doppler_hz, sinusoids=sinusoids, filter_length=filter_length,
        )  # fmt: skip


class LteChannel(MultipathChannel):
    """EPA, EVA or ETU (TS 36.104, B.2), customary with 5, 70 and 300 Hz of Doppler."""

    def __init__(
        self,
        profile: str = "EVA",
        *,
        sample_rate: float,
        rng: np.random.Generator,
        doppler_hz: float = 70.0,
        sinusoids: int = 32,
        filter_length: int = FILTER_LENGTH,
    ) -> None:
        super().__init__(
            profiles.lte(profile), sample_rate=sample_rate, rng=rng,
            doppler_hz=doppler_hz, sinusoids=sinusoids, filter_length=filter_length,
        )  # fmt: skip


class CustomChannel(MultipathChannel):
    """One's own profile: delays in seconds, powers in dB (scaled to add up to 1), optional lines of sight."""

    def __init__(
        self,
        *,
        delays_s: npt.ArrayLike,
        powers_db: npt.ArrayLike,
        sample_rate: float,
        rng: np.random.Generator,
        line_of_sight: npt.ArrayLike | None = None,
        doppler_hz: float = 0.0,
        los_doppler_hz: float = 0.0,
        sinusoids: int = 32,
        filter_length: int = FILTER_LENGTH,
    ) -> None:
        super().__init__(
            profiles.custom(delays_s, powers_db, line_of_sight), sample_rate=sample_rate, rng=rng,
            doppler_hz=doppler_hz, los_doppler_hz=los_doppler_hz, sinusoids=sinusoids, filter_length=filter_length,
        )  # fmt: skip


_MAKERS: dict[str, Any] = {
    "none": None,
    "awgn": None,
    "rayleigh": FlatFading,
    "rician": FlatFading,
    "custom": CustomChannel,
    "block": BlockFading,
    "shadowing": Shadowing,
    **{name.lower(): TdlChannel for name in profiles.TDL_NAMES},
    **{name.lower(): LteChannel for name in profiles.LTE_NAMES},
}
_CUSTOMARY_DOPPLER_HZ = {"epa": 5.0, "eva": 70.0, "etu": 300.0}


def names() -> list[str]:
    """Names that :func:`create` knows."""
    return [name.upper() if name[:3] in ("tdl", "epa", "eva", "etu") else name for name in _MAKERS]


def create(name: str, *, sample_rate: float, rng: np.random.Generator, **parameters: Any) -> Channel:
    """Make a channel by name: "none", "rayleigh", "rician", "TDL-A" ... "TDL-E", "EPA", "EVA", "ETU", "custom", ...

    Parameters are those of the class behind the name; EPA, EVA and ETU come with 5, 70 and 300 Hz of Doppler unless
    told otherwise. ValueError for an unknown name or a parameter that the channel does not take.
    """
    key = name.lower().replace("_", "-")
    if key not in _MAKERS:
        raise ValueError(f"channel must be one of {', '.join(names())}, not {name!r}")
    maker = _MAKERS[key]
    if maker is None:
        if parameters:
            raise ValueError(f"channel {name!r} takes no parameters, not {', '.join(sorted(parameters))}")
        return Identity()
    given = dict(parameters)
    if maker in (TdlChannel, LteChannel):
        given["profile"] = key
    if maker is LteChannel:
        given.setdefault("doppler_hz", _CUSTOMARY_DOPPLER_HZ[key])
    if key == "rician":
        given.setdefault("k_factor_db", 6.0)
    try:
        channel: Channel = maker(sample_rate=sample_rate, rng=rng, **given)
    except TypeError as error:
        raise ValueError(f"channel {name!r}: {error}") from error
    return channel
