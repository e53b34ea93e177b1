"""Spectra over time: levels and places that are known beforehand, whatever the way of looking."""

import io

import numpy as np
import pytest
from PIL import Image

from semwave.recording import RecordingError, Writer, open_recording
from semwave.recording import spectrum as spectrum_module
from semwave.recording.picture import save_spectrogram, thumbnail_png
from semwave.recording.spectrum import spectrogram

RATE = 1e6


@pytest.fixture
def record(tmp_path):
    """Write samples and open them."""

    def make(samples, datatype="cf32_le", name="x", annotate=(), **about):
        with Writer(tmp_path / name, RATE, datatype=datatype, sync=False, **about) as writer:
            writer.write(np.asarray(samples, np.complex64))
            for start, count, label in annotate:
                writer.annotate(start, count, label=label, freq_lower_edge=-2e5, freq_upper_edge=1e5)
        return open_recording(tmp_path / name)

    return make


def tone(n, cycles, amplitude=1.0):
    return amplitude * np.exp(2j * np.pi * cycles * np.arange(n))


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("n", [300, 20_000, 200_000])
def test_a_tone_stands_at_its_place_with_its_level(record, monkeypatch, n, full):
    monkeypatch.setattr(spectrum_module, "SMALL", 1000)
    seen = spectrogram(record(tone(n, 0.25, 0.5)), columns=50, fft_size=256, full=full)
    assert seen.mean.shape == (min(50, n), 256)
    middle = seen.mean[1:-1] if n > 300 else seen.mean
    assert (middle.argmax(axis=1) == 128 + 64).all()
    assert 10 * np.log10(middle.max(axis=1)) == pytest.approx(-6.02, abs=0.05)
    assert seen.full == (full or n <= 1000)
    assert seen.covered == (1.0 if seen.full else pytest.approx(min(1, 50 * min(8, n // 50 // 256 or 1) * 256 / n)))


def test_full_sees_every_sample_and_an_overview_says_what_it_saw(record, monkeypatch):
    monkeypatch.setattr(spectrum_module, "SMALL", 1000)
    x = np.zeros(400_000, np.complex64)
    x[123_456:123_500] = 1
    rec = record(x)
    seen = spectrogram(rec, columns=100, fft_size=64, full=True)
    assert np.flatnonzero(seen.peak.max(axis=1) > 0.01).tolist() == [123_456 // 4000]
    assert seen.edges[[0, 1, -1]].tolist() == [0, 4000, 400_000]
    quick = spectrogram(rec, columns=100, fft_size=64)
    assert quick.covered == pytest.approx(100 * 8 * 64 / 400_000)


def test_real_recordings_show_half_of_the_band(record):
    x = np.cos(2 * np.pi * 0.125 * np.arange(4096))
    seen = spectrogram(record(x, "ri16_le", scale=0.5), columns=4, fft_size=64)
    assert seen.bins == 32
    assert (seen.mean.argmax(axis=1) == 8).all()
    assert 10 * np.log10(seen.mean.max()) == pytest.approx(-6.02, abs=0.05)


def test_clipping_is_marked_where_it_is(record):
    x = tone(8000, 0.1, 0.5)
    x[3000:3010] = 2
    seen = spectrogram(record(x, "ci8"), columns=8, fft_size=64)
    assert np.flatnonzero(seen.clipped).tolist() == [3]


def test_stopping_leaves_the_rest_open(record):
    seen = spectrogram(record(tone(50_000, 0.1)), columns=100, threads=1, on_progress=lambda done: done > 20_000)
    done = np.isfinite(seen.mean[:, 0])
    assert 0 < done.sum() < 100
    assert 0.3 < seen.covered < 0.7
    assert save_spectrogram(record(tone(50_000, 0.1), name="y"), seen, io.BytesIO())["borders"] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [({"fft_size": 100}, "fft_size must be a power of 2"), ({"columns": 0}, "columns must be"),
     ({"start": 900, "stop": 900}, "no samples to look at")],
)  # fmt: skip
def test_says_what_is_wrong(record, options, message):
    with pytest.raises(RecordingError, match=message):
        spectrogram(record(tone(1000, 0.1)), **options)


def test_the_picture_shows_what_is_there(record):
    notes = [(100, 300, "a"), (3000, 40, "a label that is much too long to fit into its little box " * 3)]
    rec = record(tone(5000, -0.2), annotate=notes)
    target = io.BytesIO()
    drawn = save_spectrogram(rec, spectrogram(rec), target)
    assert drawn["labels_left_out"] == 1
    assert drawn["high_db"] == pytest.approx(0, abs=1)
    picture = np.asarray(Image.open(target).convert("RGB")).astype(int)
    bright = (picture[..., 0] > 230) & (picture[..., 1] > 200) & (picture[..., 2] < 80)  # viridis at its top: the tone
    rows = np.flatnonzero(bright[:, :1000].sum(axis=1) > 500)
    assert rows.size
    assert rows.max() - rows.min() < 30
    assert 0.4 * len(picture) < rows.mean() < 0.7 * len(picture)  # at -0.2 of +-0.5 in the upper five sixths


def test_thumbnail(record):
    picture = Image.open(io.BytesIO(thumbnail_png(record(tone(3000, 0.1)))))
    assert picture.format == "PNG"
    assert 300 < picture.width < 800
