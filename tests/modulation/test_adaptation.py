"""Link adaptation: effective SNR, MCS by threshold, prediction from old reports, the outer loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import j0

from semwave.modulation import adaptation, capacity, qam, scene
from semwave.modulation.mcs import table


@pytest.mark.parametrize("order", adaptation.ORDERS)
@pytest.mark.parametrize("snr_db", [-5.0, 3.3, 11.7])
def test_without_fading_the_effective_snr_is_the_snr(order: int, snr_db: float) -> None:
    noise = np.full(50, 10 ** (-snr_db / 10))
    if snr_db < 3 * np.log2(order):  # where the constellation is not full
        assert adaptation.effective_snr_db(noise, order) == pytest.approx(snr_db, abs=0.01)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([4, 16]))
def test_the_effective_snr_carries_as_much(seed: int, order: int) -> None:
    """Against the definition: mean of the constellation's information over the carriers."""
    noise = np.random.default_rng(seed).uniform(0.05, 2.0, 8)
    mean = np.mean(capacity.bicm(order, -10 * np.log10(noise)))
    effective = adaptation.effective_snr_db(noise, order)
    assert capacity.bicm(order, effective) == pytest.approx(mean, abs=0.01)
    assert -10 * np.log10(noise.max()) - 0.1 <= effective <= -10 * np.log10(noise.min()) + 0.1


def test_lost_symbols_carry_nothing() -> None:
    half = adaptation.effective_snr_db(np.array([0.1, np.inf]), 4)
    assert capacity.bicm(4, half) == pytest.approx(capacity.bicm(4, 10.0) / 2, abs=0.01)
    assert adaptation.effective_snr_db(np.full(3, np.inf), 4) == -20
    with pytest.raises(ValueError, match="noise_variance must have at least one value"):
        adaptation.effective_snr_db(np.empty(0), 4)


@pytest.mark.parametrize("mcs", [1, 5, 12])
def test_an_mcs_works_half_a_db_above_its_threshold_and_not_one_below(mcs: int) -> None:
    order, _ = scene.layers.modulation_and_rate(mcs)
    rng = np.random.default_rng(mcs)
    size = scene.capacity(3000, mcs)
    lost = []
    for offset in (-1.0, 0.5):
        n0 = 10 ** (-(adaptation.thresholds_db()[mcs] + offset) / 10)
        lost.append(0)
        for _ in range(12):
            data = rng.integers(0, 256, size).astype(np.uint8).tobytes()
            sent = qam.map_bits(scene.encode_layer(data, mcs), order)
            noise = (rng.standard_normal((sent.size, 2)) @ [1, 1j]) * np.sqrt(n0 / 2)
            llr = qam.demap_llr((sent + noise).astype(np.complex64), order, n0)
            lost[-1] += scene.decode_layer(llr, size, mcs) is None
    assert lost[0] > 6
    assert lost[1] <= 2


def same(snr_db: float) -> dict[int, float]:
    return dict.fromkeys(adaptation.ORDERS, snr_db)


def test_thresholds_rise_and_the_choice_follows_them() -> None:
    least = adaptation.thresholds_db()
    assert len(least) == len(table("256qam"))
    assert (np.diff(least) >= 0).all()
    chosen = [adaptation.choose_mcs(same(snr_db), 0.0) for snr_db in np.arange(-10, 35, 0.5)]
    assert chosen == sorted(chosen)
    assert (chosen[0], chosen[-1]) == (0, 27)
    assert adaptation.choose_mcs(same(least[9] + 0.01), 0.0) == 9
    assert adaptation.choose_mcs(same(least[9] + 0.01), 1.0) < 9
    assert adaptation.choose_mcs(same(40.0), 0.0, highest=9) == 9


def test_the_goodput_choice_weighs_rate_by_chance() -> None:
    """Sure of the SNR: the highest that fits, as with a threshold; unsure: by trying all, typed out."""
    from scipy.stats import norm

    for snr_db, sigma in ((10.0, 0.1), (10.0, 4.0), (2.0, 8.0)):
        mcs, chance = adaptation.most_goodput(same(snr_db), 0.5, sigma)
        chances = norm.cdf((snr_db - 0.5 - adaptation.thresholds_db()) / sigma)
        goodput = chances * [s.spectral_efficiency for s in table("256qam")]
        assert goodput[mcs] == pytest.approx(goodput.max())
        assert chance == pytest.approx(chances[mcs])


def test_correlation_is_clarkes_until_its_first_zero() -> None:
    assert adaptation.correlation(0.0, 5.0) == 1
    assert adaptation.correlation(10.0, 0.02) == pytest.approx(j0(2 * np.pi * 0.2))
    assert adaptation.correlation(10.0, 0.05) == 0
    assert adaptation.unknown_db(1.0, 1.0) == 0
    assert adaptation.unknown_db(0.0, 4.0) == pytest.approx(5.57 / 2)


@given(st.floats(0.02, 0.4), st.integers(0, 100))
def test_the_outer_loop_brings_the_share_lost_to_what_is_expected(target: float, seed: int) -> None:
    """Blocks are lost where a Gaussian SNR falls below the margin's complement; in the end as often as expected."""
    rng, outer = np.random.default_rng(seed), adaptation.OuterLoop()
    lost = []
    for _ in range(1500):
        ok = bool(rng.normal(0, 3) > -outer.margin_db)
        lost.append(not ok)
        outer.update(ok, target)
    assert np.mean(lost[300:]) == pytest.approx(target, abs=4 * np.sqrt(target / 1200) + 16 / 0.4 / 1200)


@pytest.mark.parametrize("r", [0.0, 0.6, 0.95])
def test_the_predictor_learns_how_much_of_an_old_value_holds(r: float) -> None:
    """An autoregressive series of mean 5 and deviation 3: best prediction 5 + r (x - 5), error 3 sqrt(1 - r^2)."""
    rng, predictor = np.random.default_rng(3), adaptation.Predictor(memory=0.002)
    x, errors = 5.0, []
    for _ in range(4000):
        expected, sigma = predictor.predict(x, 0.3, 1.0)
        new = 5 + r * (x - 5) + 3 * np.sqrt(1 - r * r) * rng.normal()
        predictor.learn(new, x, expected)
        errors.append(new - expected)
        x = new
    best = 3 * np.sqrt(1 - r * r)
    assert np.std(errors[1000:]) == pytest.approx(best, rel=0.1)
    assert sigma == pytest.approx(best, rel=0.25)


def test_before_anything_is_known_the_prediction_is_the_assumption() -> None:
    predictor = adaptation.Predictor(mean=4.0)
    assert predictor.predict(10.0, 0.5, 2.0) == (7.0, 2.0)


def controller(**options: object) -> adaptation.LinkController:
    return adaptation.LinkController(0.04, 2.7e6, **options)  # type: ignore[arg-type]


def told(snr_db: float, ok: bool = True) -> adaptation.Report:
    return adaptation.Report(same(snr_db), snr_db, 5.0, 300e-9, ok, True)


@pytest.mark.parametrize("delay", [1, 3])
def test_a_report_counts_after_its_delay(delay: int) -> None:
    link = controller(delay=delay)
    for _ in range(delay):
        decision = link.decide()
        assert (decision.key_mcs, decision.robust_mcs, decision.snr_db, decision.age_frames) == (0, 0, None, None)
        link.send_back(told(15.0))
    decision = link.decide()
    assert decision.age_frames == delay
    assert decision.key_mcs > 5


def test_better_channels_get_higher_schemes_and_robust_layers_stay_behind() -> None:
    chosen = []
    for snr_db in (0.0, 8.0, 16.0):
        link = controller()
        for _ in range(40):
            link.decide()
            link.send_back(told(snr_db))
        chosen.append(link.decide())
    assert chosen[0].key_mcs < chosen[1].key_mcs < chosen[2].key_mcs
    assert all(d.robust_mcs < max(d.key_mcs, 1) for d in chosen)


def test_lost_blocks_lower_the_scheme_and_lost_reports_age() -> None:
    link = controller()
    for _ in range(20):
        link.decide()
        link.send_back(told(12.0))
    before = link.decide()
    link.send_back(told(12.0, ok=False))
    for _ in range(8):
        link.decide()
        link.send_back(told(12.0, ok=False))
    after = link.decide()
    assert after.key_mcs < before.key_mcs
    assert after.margin_db > before.margin_db
    for _ in range(5):
        link.send_back(None)
        last = link.decide()
    assert last.age_frames == 6


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"delay": 0}, "delay must be at least 1 frame, not 0"),
        ({"target": 1.0}, r"target must be above 0 and below 1, not 1\.0"),
    ],
)
def test_bad_options_are_named(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        controller(**options)
