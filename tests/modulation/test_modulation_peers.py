"""The same things from other people's packages, where they are installed."""

import numpy as np
import pytest

from semwave.modulation import fading_profiles, noise, qam

pytestmark = pytest.mark.peer


def received(order):
    rng = np.random.default_rng(1)
    bits = rng.integers(0, 2, 500 * qam.bits_per_symbol(order)).astype(np.uint8)
    return bits, noise.add_awgn(qam.map_bits(bits, order), 0.05, rng)


@pytest.mark.parametrize("order", [4, 16, 64, 256])
@pytest.mark.parametrize("method, theirs", [("maxlog", "maxlog"), ("exact", "app")])
def test_sionna_demaps_to_the_same_llrs(order, method, theirs):
    mapping = pytest.importorskip("sionna.phy.mapping", reason="sionna is not installed")
    torch = pytest.importorskip("torch", reason="torch is not installed")
    k = qam.bits_per_symbol(order)
    bits, y = received(order)
    mapped = mapping.Mapper("qam", k, device="cpu")(torch.from_numpy(bits.astype(np.float32)))
    np.testing.assert_allclose(mapped.numpy(), qam.map_bits(bits, order), atol=1e-6)
    llr = mapping.Demapper(theirs, "qam", k, device="cpu")(torch.from_numpy(y), torch.tensor(0.05)).numpy()
    np.testing.assert_allclose(qam.demap_llr(y, order, 0.05, method), llr, rtol=1e-3, atol=2e-3)


@pytest.mark.parametrize("model", "ABCDE")
def test_sionna_has_the_same_delay_profiles(model):
    channel = pytest.importorskip("sionna.phy.channel.tr38901", reason="sionna is not installed")
    theirs = channel.TDL(model, 100e-9, 3.5e9, device="cpu")
    ours = fading_profiles.tdl(f"TDL-{model}", 100e-9)
    if ours.line_of_sight.any():  # Sionna joins the line of sight and the Rayleigh path at delay 0
        powers, delays = ours.powers[1:].copy(), ours.delays_s[1:]
        powers[0] += ours.powers[0]
    else:
        powers, delays = ours.powers, ours.delays_s
    order = np.argsort(delays, kind="stable")
    other = np.argsort(theirs.delays.numpy(), kind="stable")
    np.testing.assert_allclose(theirs.delays.numpy()[other], delays[order], rtol=1e-4, atol=1e-13)
    got = theirs.mean_powers.numpy()[other]
    np.testing.assert_allclose(got, powers[order], rtol=2e-3)
