"""MCS tables against their printed spectral efficiencies, transport block sizes against examples worked by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semwave.modulation import mcs

PRINTED = {  # spectral efficiency columns of TS 38.214, tables 5.1.3.1-1 to -3
    "64qam": (
        "0.2344 0.3066 0.3770 0.4902 0.6016 0.7402 0.8770 1.0273 1.1758 1.3262 1.3281 1.4766 1.6953 1.9141 2.1602 "
        "2.4063 2.5703 2.5664 2.7305 3.0293 3.3223 3.6094 3.9023 4.2129 4.5234 4.8164 5.1152 5.3320 5.5547"
    ),
    "256qam": (
        "0.2344 0.3770 0.6016 0.8770 1.1758 1.4766 1.6953 1.9141 2.1602 2.4063 2.5703 2.7305 3.0293 3.3223 3.6094 "
        "3.9023 4.2129 4.5234 4.8164 5.1152 5.3320 5.5547 5.8906 6.2266 6.5703 6.9141 7.1602 7.4063"
    ),
    "64qam_low": (
        "0.0586 0.0781 0.0977 0.1250 0.1523 0.1934 0.2344 0.3066 0.3770 0.4902 0.6016 0.7402 0.8770 1.0273 1.1758 "
        "1.3281 1.4766 1.6953 1.9141 2.1602 2.4063 2.5664 2.7305 3.0293 3.3223 3.6094 3.9023 4.2129 4.5234"
    ),
}
PRINTED_CQI = {  # tables 5.2.2.1-2 to -4
    "64qam": (
        "0.1523 0.2344 0.3770 0.6016 0.8770 1.1758 1.4766 1.9141 2.4063 2.7305 3.3223 3.9023 4.5234 5.1152 5.5547"
    ),
    "256qam": (
        "0.1523 0.3770 0.8770 1.4766 1.9141 2.4063 2.7305 3.3223 3.9023 4.5234 5.1152 5.5547 6.2266 6.9141 7.4063"
    ),
    "64qam_low": (
        "0.0586 0.0977 0.1523 0.2344 0.3770 0.6016 0.8770 1.1758 1.4766 1.9141 2.4063 2.7305 3.3223 3.9023 4.5234"
    ),
}


@pytest.mark.parametrize("name", mcs.names())
def test_tables_as_printed(name):
    for rows, printed, first in ((mcs.table(name), PRINTED, 0), (mcs.cqi_table(name), PRINTED_CQI, 1)):
        expected = [float(value) for value in printed[name].split()]
        assert [row.index for row in rows] == list(range(first, first + len(expected)))
        for row, value in zip(rows, expected, strict=True):
            assert abs(row.spectral_efficiency - value) <= 0.5001e-4  # printed to four places
            assert row.spectral_efficiency == row.bits_per_symbol * row.code_rate
            assert row.order == 2**row.bits_per_symbol


def test_rows_quoted_everywhere():
    assert mcs.table("64qam")[9] == mcs.Scheme(9, 2, 679)
    assert mcs.table("64qam")[28] == mcs.Scheme(28, 6, 948)
    assert mcs.scheme(20, "256qam").rate_x1024 == 682.5
    assert mcs.scheme(0, "64qam_low").code_rate == 30 / 1024


@pytest.mark.parametrize(
    "n_re, rate, bits, layers, expected",
    [
        (156, 120 / 1024, 2, 1, 32),  # N_info 36.6: step 8, 32, table 32
        (24, 30 / 1024, 2, 1, 24),  # N_info 1.4: never below 24
        (156 * 10, 490 / 1024, 4, 1, 2976),  # N_info 2985.9: step 32, 2976, table 2976
        (3824, 1 / 2, 2, 1, 3824),  # N_info 3824 exactly: last of the table
        (156 * 273, 948 / 1024, 6, 4, 950984),  # step 2^14: 950272; 113 blocks of 8416
        (156 * 100, 120 / 1024, 2, 1, 3752),  # N_info 3656.25: step 32, 3648, table 3752
    ],
)
def test_transport_block_sizes_by_hand(n_re, rate, bits, layers, expected):
    assert mcs.transport_block_size(n_re, rate, bits, layers) == expected


@given(st.integers(1, 273), st.integers(0, 28), st.integers(1, 4))
def test_transport_block_properties(n_prb, index, layers):
    row = mcs.scheme(index)
    n_re = mcs.resource_elements(n_prb, 12, 12)
    size = mcs.transport_block_size(n_re, row.code_rate, row.bits_per_symbol, layers)
    assert size % 8 == 0
    info = n_re * row.spectral_efficiency * layers
    assert abs(size - info) <= max(24, info / 16)  # quantised in steps of about 1/32 to 1/64 of N_info
    if size > 8424 and row.code_rate > 1 / 4:
        blocks = -(-(size + 24) // 8424)
        assert (size + 24) % (8 * blocks) == 0  # equal code blocks of whole bytes


def test_resource_elements():
    assert mcs.resource_elements(10, 14, 12) == 1560  # 156 in a block at most
    assert mcs.resource_elements(10, 12, 12) == 1320
    assert mcs.resource_elements(1, 12, 12, 6) == 126


def test_messages():
    with pytest.raises(ValueError, match="name must be one of 64qam, 256qam, 64qam_low, not '1024qam'"):
        mcs.table("1024qam")
    with pytest.raises(ValueError, match="index must be 0 to 28 in table '64qam', not 29"):
        mcs.scheme(29)
    with pytest.raises(ValueError, match=r"code_rate must be above 0 and below 1, not 1\.0"):
        mcs.transport_block_size(100, 1.0, 2)
    with pytest.raises(ValueError, match="n_re, bits_per_symbol and layers must be 1 or more, not 0, 2 and 1"):
        mcs.transport_block_size(0, 0.5, 2)
    with pytest.raises(ValueError, match="must be 1 or more, not 1 and 0"):
        mcs.resource_elements(1, 1, 12)
