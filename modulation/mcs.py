"""Modulation and coding schemes, channel quality indices and transport block sizes (3GPP TS 38.214, 5.1.3, 5.2.2.1)."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

QPSK, QAM16, QAM64, QAM256 = 2, 4, 6, 8


@dataclass(frozen=True, slots=True)
class Scheme:
    """One row: index, bits per symbol Q_m, target code rate R times 1024 as printed."""

    index: int
    bits_per_symbol: int
    rate_x1024: float

    @property
    def order(self) -> int:
        """Points of the constellation."""
        return 1 << self.bits_per_symbol

    @property
    def code_rate(self) -> float:
        """Target code rate R."""
        return self.rate_x1024 / 1024

    @property
    def spectral_efficiency(self) -> float:
        """Information bits in a symbol: Q_m R."""
        return self.bits_per_symbol * self.code_rate


# Code rates times 1024 by bits per symbol, in order of the index; reserved rows (no rate) are left out.
_MCS: dict[str, dict[int, tuple[float, ...]]] = {
    "64qam": {  # table 5.1.3.1-1
        QPSK: (120, 157, 193, 251, 308, 379, 449, 526, 602, 679),
        QAM16: (340, 378, 434, 490, 553, 616, 658),
        QAM64: (438, 466, 517, 567, 616, 666, 719, 772, 822, 873, 910, 948),
    },
    "256qam": {  # table 5.1.3.1-2
        QPSK: (120, 193, 308, 449, 602),
        QAM16: (378, 434, 490, 553, 616, 658),
        QAM64: (466, 517, 567, 616, 666, 719, 772, 822, 873),
        QAM256: (682.5, 711, 754, 797, 841, 885, 916.5, 948),
    },
    "64qam_low": {  # table 5.1.3.1-3
        QPSK: (30, 40, 50, 64, 78, 99, 120, 157, 193, 251, 308, 379, 449, 526, 602),
        QAM16: (340, 378, 434, 490, 553, 616),
        QAM64: (438, 466, 517, 567, 616, 666, 719, 772),
    },
}
# The same for CQI 1 to 15; CQI 0 means out of range.
_CQI: dict[str, dict[int, tuple[float, ...]]] = {
    "64qam": {  # table 5.2.2.1-2
        QPSK: (78, 120, 193, 308, 449, 602),
        QAM16: (378, 490, 616),
        QAM64: (466, 567, 666, 772, 873, 948),
    },
    "256qam": {  # table 5.2.2.1-3
        QPSK: (78, 193, 449),
        QAM16: (378, 490, 616),
        QAM64: (466, 567, 666, 772, 873),
        QAM256: (711, 797, 885, 948),
    },
    "64qam_low": {  # table 5.2.2.1-4
        QPSK: (30, 50, 78, 120, 193, 308, 449, 602),
        QAM16: (378, 490, 616),
        QAM64: (466, 567, 666, 772),
    },
}
# Table 5.1.3.2-1: steps of 8, 16, 24 ... as far as they go.
_SIZES = (
    *range(24, 193, 8),
    *range(208, 385, 16),
    *range(408, 577, 24),
    *range(608, 769, 32),
    *(808, 848, 888, 928, 984, 1032, 1064, 1128, 1160, 1192, 1224, 1256, 1288, 1320, 1352),
    *range(1416, 1929, 64),
    *(2024, 2088, 2152, 2216, 2280, 2408, 2472, 2536, 2600, 2664, 2728, 2792, 2856),
    *(2976, 3104, 3240, 3368, 3496, 3624, 3752, 3824),
)


def names() -> list[str]:
    """Tables known: "64qam", "256qam" and "64qam_low" (low spectral efficiency)."""
    return list(_MCS)


def _rows(tables: dict[str, dict[int, tuple[float, ...]]], name: str, first: int) -> tuple[Scheme, ...]:
    if name not in tables:
        raise ValueError(f"name must be one of {', '.join(tables)}, not {name!r}")
    rows = [(bits, rate) for bits, rates in tables[name].items() for rate in rates]
    return tuple(Scheme(first + i, bits, rate) for i, (bits, rate) in enumerate(rows))


def table(name: str = "64qam") -> tuple[Scheme, ...]:
    """MCS table of the PDSCH by name; entry i has index i. Raise ValueError for an unknown name."""
    return _rows(_MCS, name, 0)


def cqi_table(name: str = "64qam") -> tuple[Scheme, ...]:
    """CQI table by name; entries have index 1 to 15. Raise ValueError for an unknown name."""
    return _rows(_CQI, name, 1)


def scheme(index: int, name: str = "64qam") -> Scheme:
    """One MCS. Raise ValueError for an index that is reserved or not in the table."""
    rows = table(name)
    if not 0 <= index < len(rows):
        raise ValueError(f"index must be 0 to {len(rows) - 1} in table {name!r}, not {index}")
    return rows[index]


def resource_elements(n_prb: int, n_symbols: int, n_dmrs: int, n_overhead: int = 0) -> int:
    """Resource elements for data in a slot, N_RE = 156 n_PRB at most (5.1.3.2, step 1).

    ``n_dmrs`` and ``n_overhead`` are counted in one resource block. Raise ValueError if none remains.
    """
    in_block = 12 * n_symbols - n_dmrs - n_overhead
    if n_prb < 1 or in_block < 1:
        raise ValueError(f"n_prb and elements in a block must be 1 or more, not {n_prb} and {in_block}")
    return min(156, in_block) * n_prb


def transport_block_size(n_re: int, code_rate: float, bits_per_symbol: int, layers: int = 1) -> int:
    """Bits in a transport block of n_re resource elements (5.1.3.2, steps 2 to 4).

    Raise ValueError for a code rate outside 0 to 1 or counts below 1.
    """
    if not 0 < code_rate < 1:
        raise ValueError(f"code_rate must be above 0 and below 1, not {code_rate}")
    if min(n_re, bits_per_symbol, layers) < 1:
        raise ValueError(
            f"n_re, bits_per_symbol and layers must be 1 or more, not {n_re}, {bits_per_symbol} and {layers}"
        )
    rate = Fraction(code_rate)
    n_info = n_re * rate * bits_per_symbol * layers
    if n_info <= 3824:
        step = 1 << max(3, floor(n_info).bit_length() - 1 - 6)
        least = max(24, step * floor(n_info / step))
        return next(size for size in _SIZES if size >= least)
    step = 1 << (floor(n_info - 24).bit_length() - 1 - 5)
    rounded = max(3840, step * floor((n_info - 24) / step + Fraction(1, 2)))  # ties go up
    blocks = 1
    if rate <= Fraction(1, 4):
        blocks = ceil((rounded + 24) / 3816)
    elif rounded > 8424:
        blocks = ceil((rounded + 24) / 8424)
    return 8 * blocks * ceil(Fraction(rounded + 24, 8 * blocks)) - 24
