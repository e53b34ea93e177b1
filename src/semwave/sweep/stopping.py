"""When a point is done: errors counted, an interval narrow enough, or a limit; the reason is part of the result."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from semwave.sweep.errors import SweepError

ERRORS, INTERVAL, LIMIT = "errors", "interval", "limit"


@dataclass(frozen=True)
class ErrorRule:
    """For error rates: the first of ``errors`` counted wrong blocks, a 95 % interval of the block error rate narrower
    than ``interval`` times the rate, and ``max_bits`` compared bits.
    """

    errors: int | None = 100
    interval: float | None = None
    max_bits: int = 10_000_000

    def __post_init__(self) -> None:
        if self.errors is not None and self.errors < 1:
            raise SweepError(f"stop.errors must be at least 1, not {self.errors}")
        if self.interval is not None and not 0 < self.interval < 10:
            raise SweepError(f"stop.interval must be above 0 and below 10 times the rate, not {self.interval}")
        if self.max_bits < 1:
            raise SweepError(f"stop.max_bits must be at least 1, not {self.max_bits}")

    def reason(self, errors: int, trials: int, bits: int) -> str | None:
        """Why the point ends here, or None: go on."""
        if self.errors is not None and errors >= self.errors:
            return ERRORS
        if self.interval is not None and errors:
            from semwave.modulation.metrics import clopper_pearson

            low, high = clopper_pearson(errors, trials)
            if high - low <= self.interval * errors / trials:
                return INTERVAL
        return LIMIT if bits >= self.max_bits else None


@dataclass(frozen=True)
class MeanRule:
    """For scores of pictures: realisations of the channel until the 95 % interval of the mean of ``metric`` is narrower
    than ``interval`` (at least ``min_realizations``), or ``max_realizations``.
    """

    metric: str = "psnr"
    interval: float | None = None
    min_realizations: int = 3
    max_realizations: int = 1

    def __post_init__(self) -> None:
        if self.interval is not None and not self.interval > 0:
            raise SweepError(f"stop.interval must be above 0, not {self.interval}")
        if min(self.min_realizations, self.max_realizations) < 1:
            raise SweepError("stop.min_realizations and stop.max_realizations must be at least 1")

    def reason(self, values: Sequence[float]) -> str | None:
        """Why the point ends here, or None: go on."""
        if self.interval is not None and len(values) >= max(2, self.min_realizations):
            low, high = mean_interval(values)
            if high - low <= self.interval:
                return INTERVAL
        return LIMIT if len(values) >= self.max_realizations else None


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """Student's interval of a mean, m +- t s / sqrt(n); from -inf to inf for fewer than two values."""
    from scipy.special import stdtrit

    n = len(values)
    if n < 2:
        return -math.inf, math.inf
    mean = math.fsum(values) / n
    deviation = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (n - 1))
    half = float(stdtrit(n - 1, (1 + confidence) / 2)) * deviation / math.sqrt(n)
    return mean - half, mean + half


def rule(kind: type[Any], table: Mapping[str, Any]) -> Any:
    """An ErrorRule or a MeanRule from a ``[stop]`` table; raises SweepError naming a key that it does not take."""
    known = {f.name for f in fields(kind)}
    for name in table:
        if name not in known:
            raise SweepError(f"stop takes {', '.join(sorted(known))}, not {name!r}")
    values = {k: int(v) if k.startswith("max_") or k == "errors" else v for k, v in table.items()}
    return kind(**values)


def as_params(table: Mapping[str, Any], kind: type[Any]) -> dict[str, Any]:
    """The rule with all its values, so that a changed default makes a new point."""
    return asdict(rule(kind, table))
