"""Rates that follow the channel: ordered as theory has them, and the table of thresholds is what the modem does."""

import numpy as np
import pytest

from semwave.bench.air import Air, Channel
from semwave.bench.metrics import psnr
from semwave.bench.schemes import Picture, schemes
from semwave.bench.schemes.adaptive import (
    TABLE,
    THRESHOLDS_DB,
    CodecCapacity,
    ConventionalAdaptive,
    ConventionalGenie,
    capacity_snr_db,
    threshold_db,
)


@pytest.fixture(scope="module")
def picture():
    """Smooth colours with some texture."""
    rng = np.random.default_rng(2)
    y, x = np.mgrid[:96, :128] / 32
    base = 128 + 60 * np.sin(y + 2 * x)[..., None] * np.array([1.0, 0.6, -0.5])
    return Picture(np.clip(base + rng.normal(0, 6, (96, 128, 3)), 0, 255).astype(np.uint8), "waves", "waves")


def _psnr(scheme, picture, air, budget=2500):
    got = scheme.transmit(picture, air, budget, np.random.default_rng(3))
    assert got.payload <= budget
    return float(psnr(picture.image, got.image)), got


def test_they_are_found_by_name():
    assert {"conventional-genie", "conventional-adaptive", "codec-capacity"} <= set(schemes())


def test_no_one_beats_capacity(picture):
    """On AWGN: adaptive <= genie <= codec at capacity, up to one step of the codec's quality."""
    air = Air(Channel("awgn", 9.0, modem="symbols"), seed=1)
    adaptive, _ = _psnr(ConventionalAdaptive(codec="webp"), picture, air)
    genie, told = _psnr(ConventionalGenie(codec="webp"), picture, air)
    bound, _ = _psnr(CodecCapacity(codec="webp"), picture, air)
    assert told.status == "ok"
    assert adaptive <= genie + 0.3
    assert genie <= bound + 0.3


def test_genie_survives_a_fade_that_the_mean_does_not(picture):
    """One gain for the whole burst: where it is deep, the mean SNR's rate is lost and the genie's is not."""
    losses = 0
    for seed in range(8):
        air = Air(Channel("rayleigh", 8.0, modem="symbols", block=0), seed=seed)
        _, genie = _psnr(ConventionalGenie(codec="jpeg"), picture, air)
        _, mean = _psnr(ConventionalAdaptive(codec="jpeg"), picture, air)
        assert genie.status == "ok" or mean.status != "ok"
        losses += genie.status == "ok" and mean.status != "ok"
    assert losses >= 1


@pytest.mark.parametrize("index", [3, 9, 16])
def test_thresholds_are_the_modems(index):
    """Measured anew with other noise; within a step of the table, and within 1.5 dB of BICM capacity."""
    row = TABLE[index]
    assert threshold_db(row, seed=77) == pytest.approx(THRESHOLDS_DB[index], abs=0.26)
    assert THRESHOLDS_DB[index] - capacity_snr_db(row.spectral_efficiency, row.order) <= 1.5


def test_a_bound_that_is_none():
    with pytest.raises(ValueError, match="bound must be one of shannon, bicm, not 'turbo'"):
        CodecCapacity(bound="turbo")
