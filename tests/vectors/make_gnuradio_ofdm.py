"""Record frames of GNU Radio's stock ``digital.ofdm_tx``: tests/vectors/gnuradio_ofdm.npz.

    python tests/vectors/make_gnuradio_ofdm.py

Needs GNU Radio (3.10) importable by /usr/bin/python3; takes the samples from it and nothing from this project.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "gnuradio"))
LENGTHS = (1, 20, 95)


def main():
    import ofdm_peer

    if ofdm_peer.version() is None:
        sys.exit(ofdm_peer.MISSING)
    rng, out = np.random.default_rng(310), {"version": np.array(ofdm_peer.version())}
    with tempfile.TemporaryDirectory() as folder:
        for bits in (1, 2, 3):
            for scramble in (0, 1):
                payloads = [rng.bytes(n) for n in LENGTHS]
                name = f"bits{bits}_scramble{scramble}"
                out[f"{name}_payloads"] = np.frombuffer(b"".join(payloads), np.uint8)
                out[f"{name}_samples"] = ofdm_peer.transmit(folder, payloads, bits, scramble)
    np.savez_compressed(HERE / "gnuradio_ofdm.npz", lengths=np.array(LENGTHS), **out)


if __name__ == "__main__":
    main()
