"""Power delay profiles: TDL-A to E of 3GPP TR 38.901, 7.7.2, EPA/EVA/ETU of TS 36.104, B.2, and one's own."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

TDL_NAMES = ("TDL-A", "TDL-B", "TDL-C", "TDL-D", "TDL-E")
LTE_NAMES = ("EPA", "EVA", "ETU")
_TABLES = Path(__file__).parent / "tables"


@dataclass(frozen=True)
class Profile:
    """Paths of a channel: delays in seconds, mean powers that add up to 1, and which paths are a line of sight."""

    name: str
    delays_s: Array  # [path] float64
    powers: Array  # [path] float64, linear
    line_of_sight: Array  # [path] bool

    @property
    def delay_spread_s(self) -> float:
        """Root-mean-square delay spread, sqrt(E[tau^2] - E[tau]^2) weighted by power."""
        mean = float(np.sum(self.powers * self.delays_s))
        return float(np.sqrt(np.sum(self.powers * (self.delays_s - mean) ** 2)))

    @property
    def k_factor_db(self) -> float:
        """Power of the line of sight over that of all other paths; -inf without one, +inf with nothing else."""
        direct = float(self.powers[self.line_of_sight].sum())
        with np.errstate(divide="ignore"):
            return float(10 * np.log10(direct) - 10 * np.log10(max(1.0 - direct, 0.0)))


def custom(delays_s: npt.ArrayLike, powers_db: npt.ArrayLike, line_of_sight: npt.ArrayLike | None = None) -> Profile:
    """Profile of one's own; powers are scaled to add up to 1.

    `[path]` seconds, `[path]` dB, `[path]` bool or None for no line of sight. ValueError for shapes that do not
    fit, negative delays or values that are not finite.
    """
    delays, powers = np.atleast_1d(np.asarray(delays_s, float)), np.atleast_1d(np.asarray(powers_db, float))
    direct = np.zeros(delays.shape, bool) if line_of_sight is None else np.atleast_1d(np.asarray(line_of_sight, bool))
    if delays.ndim != 1 or delays.size == 0 or delays.shape != powers.shape or delays.shape != direct.shape:
        raise ValueError(
            "delays_s, powers_db and line_of_sight must be lists of one length, "
            f"not {delays.shape}, {powers.shape}, {direct.shape}"
        )
    if not (np.all(np.isfinite(delays)) and np.all(delays >= 0)):
        raise ValueError(f"delays_s must be 0 or more, not {delays.tolist()}")
    if not np.all(np.isfinite(powers)):
        raise ValueError(f"powers_db must be finite, not {powers.tolist()}")
    linear = 10 ** ((powers - powers.max()) / 10)
    return Profile("custom", delays, linear / linear.sum(), direct)


@lru_cache(maxsize=1)
def _tdl_rows() -> dict[str, list[tuple[float, float, bool]]]:
    rows: dict[str, list[tuple[float, float, bool]]] = {}
    for name, _, delay, power_db, kind in _read("tdl_38901.csv"):
        rows.setdefault(name, []).append((float(delay), float(power_db), kind == "LOS"))
    return rows


@lru_cache(maxsize=1)
def _lte_rows() -> dict[str, list[tuple[float, float]]]:
    rows: dict[str, list[tuple[float, float]]] = {}
    for name, _, delay_ns, power_db in _read("lte_36104.csv"):
        rows.setdefault(name, []).append((float(delay_ns) * 1e-9, float(power_db)))
    return rows


def _read(file: str) -> list[list[str]]:
    lines = [line for line in (_TABLES / file).read_text("ascii").splitlines() if line and line[0] != "#"]
    return [line.split(",") for line in lines[1:]]


def tdl(name: str, delay_spread_s: float, k_factor_db: float | None = None) -> Profile:
    """TDL-A to TDL-E (TR 38.901, 7.7.2): the table's delays times the wanted r.m.s. delay spread.

    ``k_factor_db`` changes the K factor of TDL-D or TDL-E as 7.7.6 does: the other paths' powers are shifted
    and the delays rescaled to unit spread before ``delay_spread_s`` multiplies them.
    """
    key = name.upper().replace("_", "-")
    if key not in TDL_NAMES:
        raise ValueError(f"profile must be one of {', '.join(TDL_NAMES)}, not {name!r}")
    if not (np.isfinite(delay_spread_s) and delay_spread_s >= 0):
        raise ValueError(f"delay_spread_s must be 0 or more seconds, not {delay_spread_s}")
    delays, powers_db, direct = (np.array(column) for column in zip(*_tdl_rows()[key], strict=True))
    if k_factor_db is not None:
        if not direct.any():
            raise ValueError(f"k_factor_db must be None for {key}, which has no line of sight, not {k_factor_db}")
        others = 10 * np.log10(np.sum(10 ** (powers_db[~direct] / 10)))
        powers_db = np.where(direct, powers_db, powers_db - (k_factor_db - (powers_db[direct][0] - others)))
        delays = delays / custom(delays, powers_db, direct).delay_spread_s
    made = custom(delays * delay_spread_s, powers_db, direct)
    return Profile(key, made.delays_s, made.powers, made.line_of_sight)


def lte(name: str) -> Profile:
    """EPA, EVA or ETU (TS 36.104, B.2)."""
    if name.upper() not in LTE_NAMES:
        raise ValueError(f"profile must be one of {', '.join(LTE_NAMES)}, not {name!r}")
    delays, powers_db = zip(*_lte_rows()[name.upper()], strict=True)
    made = custom(delays, powers_db)
    return Profile(name.upper(), made.delays_s, made.powers, made.line_of_sight)
