"""Every shipped flowgraph passes its check; the error-rate ones run, short, and give a rate."""

from pathlib import Path

import pytest

from semwave.runtime.graphfile import load

FOLDER = Path(__file__).resolve().parents[2] / "flowgraphs"
FILES = sorted(FOLDER.glob("*.toml"))


@pytest.mark.parametrize("file", FILES, ids=[f.stem for f in FILES])
def test_checks(file: Path) -> None:
    plan = load(file).plan()
    assert plan.edges


@pytest.mark.parametrize("file", [f for f in FILES if f.stem.startswith("ber_")], ids=lambda f: f.stem)
def test_an_error_rate_comes_out(file: Path) -> None:
    result = load(file, ["bits.count=194_400"]).run(timeout_s=90)
    facts = result["count"].facts
    assert facts["bler_trials"] > 50
    assert 0 <= facts["ber_low"] <= facts["ber"] <= facts["ber_high"] < 0.5
