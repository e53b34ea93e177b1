"""Channels for training: differentiable, in torch, with the receiver's imperfect knowledge of them.

Each takes complex symbols [n] and gives what an equaliser hands on: symbols and the noise variance that the receiver
believes each has (fading and estimation error in it).
"""

from typing import Any

NAMES = ("awgn", "rayleigh", "tdl")

_CARRIERS, _TIMES = 64, 14
_TAPS, _DECAY = 8, 3.0  # samples
_PILOT_GAIN = 4.0  # noise variance over the variance of the channel estimate's error


def pass_through(name: str, symbols: Any, snr_db: float, generator: Any) -> tuple[Any, Any]:
    """Symbols [n] through a channel: equalised complex [n] and noise variance [n].

    Raises:
        ValueError: no such channel.
    """
    import torch

    if name not in NAMES:
        raise ValueError(f"name must be one of {', '.join(NAMES)}, not {name!r}")
    n0 = 10 ** (-snr_db / 10)
    noise = _normal(symbols.shape, generator, symbols.device) * n0**0.5
    if name == "awgn":
        return symbols + noise, torch.full(symbols.shape, n0, device=symbols.device)
    flat = name == "rayleigh"
    gain = (
        _normal(symbols.shape, generator, symbols.device) if flat else _tdl(symbols.numel(), generator, symbols.device)
    )
    error = n0 / _PILOT_GAIN
    known = gain + _normal(symbols.shape, generator, symbols.device) * error**0.5
    power = known.abs().square().clamp_min(1e-4)
    return (gain * symbols + noise) * known.conj() / power, (n0 + error) / power


def _tdl(count: int, generator: Any, device: Any) -> Any:
    """Gains [n] of an OFDM grid over taps of exponentially falling power, interleaved over carriers and time."""
    import torch

    frames = -(-count // (_CARRIERS * _TIMES))
    power = torch.exp(-torch.arange(_TAPS, device=device) / _DECAY)
    taps = _normal((frames, _TAPS), generator, device) * (power / power.sum()).sqrt()
    carriers = torch.fft.fft(taps, _CARRIERS)  # [frames, carriers]
    grid = carriers[:, None].expand(frames, _TIMES, _CARRIERS).reshape(-1)
    return grid[torch.randperm(grid.numel(), generator=generator).to(device)][:count]


def _normal(shape: Any, generator: Any, device: Any) -> Any:
    import torch

    return torch.randn(shape, dtype=torch.complex64, generator=generator).to(device)
