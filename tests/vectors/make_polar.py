"""Write polar.npz: 5G polar code words from Sionna (pip install sionna-no-rt), to hold our encoder equal to.

Lengths below 20 are left out: Sionna treats their parity-check bits as information bits.
"""

from pathlib import Path

import numpy as np

CASES = [  # link, k, n: rate matching by repetition, shortening and puncturing
    ("uplink", 64, 128),
    ("uplink", 512, 1024),
    ("uplink", 100, 200),
    ("uplink", 100, 150),
    ("uplink", 40, 300),
    ("uplink", 200, 700),
    ("uplink", 24, 1088),
    ("downlink", 40, 108),
    ("downlink", 100, 216),
    ("downlink", 140, 432),
    ("downlink", 32, 500),
    ("downlink", 12, 576),
]


def make():
    """Message and code word of each case."""
    import torch
    from sionna.phy.fec.polar import Polar5GEncoder

    rng, out = np.random.default_rng(2026), {}
    for link, k, n in CASES:
        bits = rng.integers(0, 2, (2, k), dtype=np.uint8)
        encoder = Polar5GEncoder(k, n, channel_type=link, device="cpu")
        coded = encoder(torch.tensor(bits, dtype=torch.float32)).numpy().astype(np.uint8)
        out[f"{link}_{k}_{n}_bits"], out[f"{link}_{k}_{n}_coded"] = bits, coded
    return out


if __name__ == "__main__":
    np.savez_compressed(Path(__file__).with_name("polar.npz"), **make())
