"""Modulation and coding schemes of 3GPP TS 38.214, 5.1.3.1 (PDSCH)."""

from dataclasses import dataclass

_QPSK, _16QAM, _64QAM, _256QAM = 2, 4, 6, 8
_ROWS: dict[str, tuple[tuple[int, tuple[float, ...]], ...]] = {
    "64qam": (
        (_QPSK, (120, 157, 193, 251, 308, 379, 449, 526, 602, 679)),
        (_16QAM, (340, 378, 434, 490, 553, 616, 658)),
        (_64QAM, (438, 466, 517, 567, 616, 666, 719, 772, 822, 873, 910, 948)),
    ),
    "256qam": (
        (_QPSK, (120, 193, 308, 449, 602)),
        (_16QAM, (378, 434, 490, 553, 616, 658)),
        (_64QAM, (466, 517, 567, 616, 666, 719, 772, 822, 873)),
        (_256QAM, (682.5, 711, 754, 797, 841, 885, 916.5, 948)),
    ),
    "64qam_low_se": (
        (_QPSK, (30, 40, 50, 64, 78, 99, 120, 157, 193, 251, 308, 379, 449, 526, 602)),
        (_16QAM, (340, 378, 434, 490, 553, 616)),
        (_64QAM, (438, 466, 517, 567, 616, 666, 719, 772)),
    ),
}


@dataclass(frozen=True)
class Mcs:
    """One row: ``index``, modulation order as ``bits_per_symbol``, target code ``rate``."""

    index: int
    bits_per_symbol: int
    rate: float

    @property
    def efficiency(self) -> float:
        """Information bits per symbol."""
        return self.bits_per_symbol * self.rate


def table(name: str) -> tuple[Mcs, ...]:
    """The rows of table 5.1.3.1-1 (``64qam``), -2 (``256qam``) or -3 (``64qam_low_se``). Raises ValueError for others."""
    if name not in _TABLES:
        raise ValueError(f"name must be one of {', '.join(_TABLES)}, not {name!r}")
    return _TABLES[name]


def _flat(groups: tuple[tuple[int, tuple[float, ...]], ...]) -> tuple[Mcs, ...]:
    pairs = [(bits, rate / 1024) for bits, rates in groups for rate in rates]
    return tuple(Mcs(index, bits, rate) for index, (bits, rate) in enumerate(pairs))


_TABLES = {name: _flat(groups) for name, groups in _ROWS.items()}
