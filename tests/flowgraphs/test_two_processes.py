"""The receiver gets samples and nothing else: two processes that share a file of samples."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import link

RECEIVER = '''
import sys
import numpy as np
from semwave.blocks.basic import VectorSink
from semwave.blocks.framing import Deframer
from semwave.blocks.generate import GenerativeDecoder
from semwave.blocks.modem import OfdmDemodulator
from semwave.models.pictures import save_png
from semwave.runtime import Flowgraph, Out, Packet, Source, Stream


class Recorded(Source):
    """Samples of a file."""

    path: str = ""
    samples = Out(Stream(np.complex64, sample_rate=3.84e6))

    def packets(self):
        """In odd pieces."""
        data = np.fromfile(self.path, np.complex64)
        for at in range(0, data.size, 5000):
            yield Packet(data[at : at + 5000])


fg = Flowgraph().add(
    source=Recorded(path=sys.argv[1]), demod=OfdmDemodulator(), deframer=Deframer(),
    decoder=GenerativeDecoder(model="classical", key_model="linear"), sink=VectorSink(),
)
fg.connect("source > demod.llr > deframer > decoder.image > sink").run(timeout_s=90)
for packet in fg.blocks["sink"].packets:
    save_png(f"{sys.argv[2]}/{packet.meta['number']}.png", packet.data)
'''


@pytest.mark.parametrize("make", [link.graph, link.jscc_graph])
def test_a_receiver_in_another_process_gives_the_same_pictures(tmp_path: Path, make: Any) -> None:
    """Through the air of the first process: its channel's output is recorded and handed over as bare samples."""
    pictures, out = link.make_pictures(tmp_path / "in"), tmp_path / "out"
    graph = make(pictures, out, "channel.snr_db=12")
    from semwave.blocks.sigmf import SigMFSink

    graph.add(tap=SigMFSink(path=str(out), name="received")).connect("channel > tap").run(timeout_s=90)
    command = [sys.executable, "-c", RECEIVER, str(out / "received.sigmf-data"), str(tmp_path)]
    subprocess.run(command, check=True, timeout=100, cwd=tmp_path, capture_output=True, text=True)
    for number in (0, 1):
        sent = out / f"{number:02d}_{number}" / "reconstruction.png"
        assert (tmp_path / f"{number}.png").read_bytes() == sent.read_bytes()
