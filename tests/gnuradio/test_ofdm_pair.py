"""The example pairs of stock OFDM packets over ZeroMQ: PDUs and samples cross between GNU Radio and here."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import example_peer

from semwave.runtime.graphfile import load

pytestmark = pytest.mark.peer
FOLDER = Path(__file__).resolve().parents[2] / "flowgraphs"
OFDM = example_peer.EXAMPLES / "ofdm.py"
PACKETS = 20


@pytest.fixture(scope="module", autouse=True)
def peer() -> None:
    example_peer.need()


@pytest.mark.parametrize("modulation", ["bpsk", "qpsk", "8psk"])
@pytest.mark.parametrize("side", ["transmit", "receive"])
def test_every_packet_arrives(side: str, modulation: str) -> None:
    """``side`` is what GNU Radio does."""
    file = FOLDER / ("gnuradio_ofdm_rx.toml" if side == "transmit" else "gnuradio_ofdm_tx.toml")
    with example_peer.addresses() as (samples, pdus):
        radio = {"transmit": "from_radio", "receive": "to_radio"}[side]
        given = [f"{radio}.address={samples}", f"pdus.address={pdus}", f"modulation={modulation}", "idle_timeout_s=6"]
        if side == "receive":
            given.append(f"pdus.count={PACKETS}")
        options = ["--samples", samples, "--pdus", pdus, "--modulation", modulation, "--packets", str(PACKETS)]
        with example_peer.program(OFDM, side, *options, "--seconds", "40") as there:
            load(file, given).run(timeout_s=60)
            said, errors = there.communicate(timeout=60)
    assert f"{PACKETS} came, {PACKETS} equal" in said, errors[-500:]
    assert there.returncode == 0
