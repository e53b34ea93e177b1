"""The semantic codec as a whole, on a shipped photograph."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semwave.models.jscc import Jscc, bits_per_symbol, blocks, fallback, refine
from semwave.modulation import projection

PICTURES = Path(__file__).resolve().parents[3] / "recordings" / "images"
SIZE = (104, 150)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    with Image.open(PICTURES / "chelsea.jpg") as picture:
        small = picture.convert("RGB").resize(SIZE[::-1])
    return np.asarray(small, np.float32) / 255


@pytest.fixture(scope="module")
def codec() -> Jscc:
    return Jscc.load("classes")


def psnr(x: np.ndarray, y: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean(np.square(x - y))))


def over_the_air(symbols: np.ndarray, snr_db: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    n0 = 10 ** (-snr_db / 10)
    noise = np.random.default_rng(seed).standard_normal((symbols.size, 2), np.float32).view(np.complex64)[:, 0]
    return (symbols + noise * np.sqrt(n0 / 2)).astype(np.complex64), np.full(symbols.size, n0, np.float32)


@pytest.mark.parametrize("name", ["classes", "linear"])
def test_quality_rises_with_snr_and_with_rate(image: np.ndarray, name: str) -> None:
    codec, table = Jscc.load(name), []
    for symbols in (700, 1500, 3000):
        row = []
        for snr_db in (1.0, 7.0, 13.0):
            sent = codec.encode(image, None, symbols, snr_db)
            assert sent.symbols.dtype == np.complex64
            assert sent.symbols.size == symbols
            assert np.mean(np.abs(sent.symbols) ** 2) == pytest.approx(1, rel=0.03)
            row.append(psnr(codec.decode(sent.side, *over_the_air(sent.symbols, snr_db), SIZE, None).image, image))
        table.append(row)
    assert (np.diff(table, axis=0) > 0).all()
    assert (np.diff(table, axis=1) > 0).all()


def test_any_prefix_decodes_and_the_start_matters_most(image: np.ndarray, codec: Jscc) -> None:
    sent = codec.encode(image, None, 2000, 10.0)
    received, noise = over_the_air(sent.symbols, 10.0)
    qualities = []
    for kept in (0, 500, 1000, 2000):
        partly = noise.copy()
        partly[kept:] = np.inf
        qualities.append(psnr(codec.decode(sent.side, received, partly, SIZE, None).image, image))
    assert (np.diff(qualities) > 0).all()
    late = noise.copy()
    late[:1000] = np.inf
    assert psnr(codec.decode(sent.side, received, late, SIZE, None).image, image) < qualities[2]
    received[1500:] = np.nan  # what is marked as lost is not looked at
    noise[1500:] = np.inf
    assert np.isfinite(codec.decode(sent.side, received, noise, SIZE, None).image).all()


def test_symbols_pay_for_the_side_when_told(image: np.ndarray, codec: Jscc) -> None:
    efficiency = bits_per_symbol(7.0)
    sent = codec.encode(image, None, 3000, 7.0, side_efficiency=efficiency)
    assert sent.symbols.size + 8 * len(sent.side) / efficiency == pytest.approx(3000, abs=1)


@pytest.mark.parametrize("order", [4, 64])
def test_constellation_points_only(image: np.ndarray, codec: Jscc, order: int) -> None:
    sent = codec.encode(image, None, 2000, 10.0, constellation=order)
    assert np.mean(np.abs(sent.symbols) ** 2) == pytest.approx(1, rel=0.03)
    assert np.abs(sent.symbols[:, None] - projection.sent_points(order)).min(1).max() < 1e-5
    free = codec.encode(image, None, 2000, 10.0)
    there = codec.decode(sent.side, *over_the_air(sent.symbols, 10.0), SIZE, None, constellation=order, refined=False)
    plain = codec.decode(free.side, *over_the_air(free.symbols, 10.0), SIZE, None, refined=False)
    assert psnr(there.image, image) > psnr(plain.image, image) - (1.5 if order == 64 else 4.0)


@pytest.mark.parametrize("order", [None, 64])
def test_coarse_picture_is_left_where_the_side_information_is_lost(
    image: np.ndarray, codec: Jscc, order: int | None
) -> None:
    sent = codec.encode(image, None, 2000, 6.0, constellation=order, coarse=True)
    assert sent.symbols.size == 2000
    assert np.mean(np.abs(sent.symbols) ** 2) == pytest.approx(1, rel=0.03)
    received = over_the_air(sent.symbols, 6.0)
    whole = codec.decode(sent.side, *received, SIZE, None, constellation=order, coarse=True)
    rest = codec.decode(None, *received, SIZE, None, constellation=order, coarse=True)
    nothing = codec.decode(None, *received, SIZE, None, constellation=order)
    assert psnr(whole.image, image) > psnr(rest.image, image) + 3
    assert psnr(rest.image, image) > psnr(nothing.image, image) + 2
    assert rest.sigma.mean() > 1.5 * whole.sigma.mean()
    assert fallback.symbols(np.ones(blocks.grid(*SIZE), bool)) == 105


def test_what_the_mask_leaves_out_is_not_sent(image: np.ndarray, codec: Jscc) -> None:
    mask = np.zeros(SIZE, bool)
    mask[32:64, 48:112] = True
    other = image.copy()
    other[~mask] = 0.9
    first, second = (codec.encode(x, mask, 400, 10.0) for x in (image, other))
    assert first.side == second.side
    np.testing.assert_array_equal(first.symbols, second.symbols)
    decoded = codec.decode(first.side, *over_the_air(first.symbols, 10.0), SIZE, mask)
    assert psnr(decoded.image[mask], image[mask]) > 24
    assert (decoded.sigma[~mask] == 0.25).all()
    assert (decoded.sigma[mask] < 0.2).all()


def test_sigma_is_the_error_to_expect(image: np.ndarray, codec: Jscc) -> None:
    sent = codec.encode(image, None, 1500, 4.0)
    decoded = codec.decode(sent.side, *over_the_air(sent.symbols, 4.0), SIZE, None)
    squared = np.square(decoded.image - image).mean(2)
    assert 0.5 < np.mean(np.square(decoded.sigma)) / squared.mean() < 2
    busy = decoded.sigma > np.median(decoded.sigma)
    assert squared[busy].mean() > 1.3 * squared[~busy].mean()


def test_digital_prefixes(image: np.ndarray, codec: Jscc) -> None:
    data = codec.encode_digital(image, None, 1500)
    assert 1300 < len(data) <= 1500
    qualities = [psnr(codec.decode_digital(data[:n], SIZE, None).image, image) for n in (500, 900, 1500)]
    assert (np.diff(qualities) > 0).all()
    with pytest.raises(ValueError, match="data must hold the class map at least; 20 bytes do not"):
        codec.decode_digital(data[:20], SIZE, None)
    with pytest.raises(ValueError, match="size must be at least"):
        codec.encode_digital(image, None, 5)


def test_nothing_received_is_grey_and_unknown(codec: Jscc) -> None:
    decoded = codec.decode(None, np.zeros(3, np.complex64), np.ones(3, np.float32), (20, 30), None)
    assert decoded.image.shape == (20, 30, 3)
    assert (decoded.sigma == 0.25).all()


def test_damaged_side_gives_a_picture_or_a_value_error(image: np.ndarray, codec: Jscc) -> None:
    sent = codec.encode(image, None, 500, 5.0)
    rng = np.random.default_rng(7)
    for _ in range(5):
        side = bytearray(sent.side)
        side[rng.integers(3, len(side))] ^= 0x55
        decoded = codec.decode(bytes(side), *over_the_air(sent.symbols, 5.0), SIZE, None)
        assert np.isfinite(decoded.image).all()
    with pytest.raises(ValueError, match="side must have at least 3 bytes, not 2"):
        codec.decode(b"ab", sent.symbols, np.ones(500, np.float32), SIZE, None)


def test_wrong_arguments_are_named(image: np.ndarray, codec: Jscc) -> None:
    with pytest.raises(ValueError, match=r"image must be float32 \[height, width, 3\], not float64"):
        codec.encode(image.astype(np.float64), None, 10, 1.0)
    with pytest.raises(ValueError, match="mask must cover at least one pixel"):
        codec.encode(image, np.zeros(SIZE, bool), 10, 1.0)
    with pytest.raises(ValueError, match="symbols must be at least 1, not 0"):
        codec.encode(image, None, 0, 1.0)
    with pytest.raises(ValueError, match="side_efficiency must be above 0 bits a symbol, not 0"):
        codec.encode(image, None, 10, 1.0, side_efficiency=0)
    with pytest.raises(ValueError, match="noise_var must have one value a symbol"):
        codec.decode(b"", np.zeros(3, np.complex64), np.ones(2), SIZE, None)
    with pytest.raises(ValueError, match="must be default, perceptual, classes, linear or a folder, not 'best'"):
        Jscc.load("best")
    with pytest.raises(ValueError, match="coarse must be False with the linear scheme"):
        Jscc.load("linear").encode(image, None, 10, 1.0, coarse=True)
    with pytest.raises(ValueError, match=r"symbols must be above 105, .* not 100"):
        Jscc.load("classes").encode(image, None, 100, 1.0, coarse=True)
    with pytest.raises(ValueError, match="the linear scheme has no digital output"):
        Jscc.load("linear").encode_digital(image, None, 100)


def test_networks_decode_one_and_the_same_transmission(image: np.ndarray, codec: Jscc) -> None:
    """Three receivers of what the codebook encoded: the networks are closer to it, each in its own way."""
    sent = codec.encode(image, None, 1000, 1.0)
    received = over_the_air(sent.symbols, 1.0)
    plain, squared, perceptual = (
        Jscc.load(name).decode(sent.side, *received, SIZE, None) for name in ("classes", "default", "perceptual")
    )
    assert psnr(squared.image, image) > psnr(perceptual.image, image) > psnr(plain.image, image)
    for made in (squared, perceptual):
        measured = np.sqrt(np.mean(np.square(made.image - image)))
        assert 0.7 < measured / np.sqrt(np.mean(np.square(made.sigma))) < 1.3


def test_fresh_network_changes_nothing() -> None:
    import torch

    torch.manual_seed(1)
    picture = np.random.default_rng(8).random((32, 48, 3), np.float32)
    sigma = np.full((32, 48), 0.05, np.float32)
    cover = np.ones(blocks.grid(32, 48), bool)
    out, after = refine.apply(refine.build().eval(), picture, sigma, cover)
    np.testing.assert_allclose(out, picture, atol=1e-6)
    np.testing.assert_allclose(after, sigma, rtol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (17, 3)])
@pytest.mark.parametrize("symbols", [1, 2000])
@pytest.mark.parametrize("order", [None, 16])
def test_tiny_pictures(codec: Jscc, size: tuple[int, int], symbols: int, order: int | None) -> None:
    x = np.full((*size, 3), 0.7, np.float32)
    sent = codec.encode(x, None, symbols, 20.0, constellation=order)
    received = over_the_air(sent.symbols, 20.0)
    decoded = codec.decode(sent.side, *received, size, None, constellation=order)
    assert sent.symbols.size == symbols
    assert np.abs(decoded.image - x).max() < (0.2 if symbols > 1 else 0.5)
