"""Each kind of trouble is found and called by its name; a sound recording has none."""

import json

import numpy as np
import pytest

from semwave.recording import Writer, open_recording
from semwave.recording.findings import check

RATE = 1e6


@pytest.fixture
def make(tmp_path):
    """A recording whose metadata and data were tampered with."""

    def build(change=lambda meta: None, samples=None, datatype="cf32_le"):
        rng = np.random.default_rng(0)
        x = 0.1 * (rng.normal(size=5000) + 1j * rng.normal(size=5000)) if samples is None else samples
        with Writer(tmp_path / "x", RATE, datatype=datatype, force=True, frequency=1e9, sync=False) as writer:
            writer.write(np.asarray(x, np.complex64))
            writer.annotate(10, 20, label="fine", freq_lower_edge=0.9999e9, freq_upper_edge=1e9)
        file = tmp_path / "x.sigmf-meta"
        meta = json.loads(file.read_text())
        change(meta)
        file.write_text(json.dumps(meta))
        return open_recording(file, warn=lambda text: None)

    return build


def kinds(recording, **how):
    return {f.what for f in check(recording, **how)}


def test_a_sound_recording_has_no_findings(make):
    assert check(make(), hash_too=True) == []


def put(section, **fields):
    """A change of the first row of a section, or of the global object."""

    def change(meta):
        (meta["global"] if section == "global" else meta[section][0]).update(fields)

    return change


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (put("annotations", **{"core:sample_count": 9999}), "reader"),
        (put("annotations", **{"core:sample_start": 6000}), "annotation"),
        (put("annotations", **{"core:freq_lower_edge": 2e9, "core:freq_upper_edge": 3e9}), "edges"),
        (put("annotations", **{"core:freq_lower_edge": 1.0001e9}), "edges"),
        (put("annotations", **{"lab:note": 1}), "extension"),
        (put("global", **{"core:sample_rate": None}), "sample_rate"),
        (put("global", **{"core:datatype": "cf32"}), "datatype"),
        (put("global", **{"core:sha512": "0" * 128}), "hash"),
        (put("global", **{"core:version": 7}), "schema"),
        (put("captures", **{"core:datetime": "yesterday"}), "datetime"),
        (lambda meta: meta["captures"].append({"core:sample_start": 8000}), "capture"),
        (lambda meta: meta["global"].pop("core:sha512"), "hash"),
    ],
)
def test_what_is_wrong_with_the_metadata(make, change, kind):
    assert kind in kinds(make(change), hash_too=True)


def test_dates_that_cannot_be(make):
    def change(meta):
        meta["captures"] = [
            {"core:sample_start": 0, "core:datetime": "2026-01-01T00:00:01Z"},
            {"core:sample_start": 2000, "core:datetime": "2026-01-01T00:00:00Z"},
        ]

    assert "datetime" in kinds(make(change))


def test_what_is_wrong_with_the_samples(make):
    x = np.full(5000, 0.1 + 0.1j, np.complex64)
    x[7] = np.nan
    (found,) = check(make(samples=x))
    assert (found.what, found.text) == ("nan", "1 samples are NaN or infinite, the first at 7")
    x[7] = 0
    x[100:200] = 2
    (found,) = check(make(samples=x, datatype="ci8"))
    assert (found.what, found.text) == ("clipping", "100 samples (2 %) are at the end of the range")
    assert kinds(make(samples=0 * x)) == {"silence"}
    assert check(make(samples=0 * x), samples=False) == []
