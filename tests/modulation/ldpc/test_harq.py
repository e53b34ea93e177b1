"""HARQ: what soft combining gains over single transmissions, and new redundancy over the same again."""

import numpy as np
import pytest
from scipy.stats import binom

from semwave.modulation import ldpc

VERSIONS = {"chase": (0, 0, 0), "incremental": (0, 2, 3)}


def failures(combining: str, snr_db: float, trials: int) -> list[int]:
    """Blocks of rate 5/6 that are wrong after 1, 2, 3 transmissions of QPSK in white noise."""
    block, rng, wrong = ldpc.NrTransportBlock(400, 480), np.random.default_rng(11), [0, 0, 0]
    n0 = 10 ** (-snr_db / 10)
    for _ in range(trials):
        payload, soft = rng.integers(0, 2, 400, dtype=np.uint8), None
        for i, rv in enumerate(VERSIONS[combining]):
            signs = (2.0 * block.encode(payload, rv) - 1) / np.sqrt(2)
            llr = 4 / np.sqrt(2) / n0 * (signs + rng.normal(size=480) * np.sqrt(n0 / 2))
            found = block.decode(llr, rv, soft)
            wrong[i] += not found.ok
            assert not found.ok or (found.bits == payload).all()
            soft = found.soft
    return wrong


def clearly_above(a: int, b: int, trials: int) -> bool:
    """One-sided 99.9 % Clopper-Pearson by the binomial tail: the rate behind a is above the one behind b."""
    rate = (a + b) / (2 * trials)
    return bool(a > binom.ppf(0.999, trials, rate) and b < binom.ppf(0.001, trials, rate))


@pytest.mark.parametrize("combining", ["chase", "incremental"])
def test_each_transmission_helps(combining: str) -> None:
    """Es/N0 of 1 dB, three times: the energy of 1, 4 and 5.8 dB."""
    first, second, third = failures(combining, 1.0, 60)
    assert first == 60, "rate 5/6 needs 6 dB"
    assert clearly_above(first, third, 60)
    assert third <= second <= first


def test_new_redundancy_beats_the_same_again() -> None:
    """At 1 dB two transmissions have the energy of 4 dB: enough for rate 5/12, not for rate 5/6."""
    chase, incremental = failures("chase", 1.0, 60)[1], failures("incremental", 1.0, 60)[1]
    assert clearly_above(chase, incremental, 60)
