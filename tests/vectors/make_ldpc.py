"""Make ldpc.npz: NR LDPC code words from an independent encoder (Sionna's), in a throw-away environment.

    pip install "sionna-no-rt==2.2.0"
    python tests/vectors/make_ldpc.py

Every lifting size of both base graphs at full length with all redundancy versions, and cases with filler bits,
puncturing, the choice of base graph, and interleaving. Only SHA-256 digests of most words are kept.
"""

import hashlib
from pathlib import Path

import numpy as np

LIFTING = sorted(a << j for a in (2, 3, 5, 7, 9, 11, 13, 15) for j in range(8) if a << j <= 384)
WHOLE = 3  # cases kept bit by bit


def information(k: int, n: int) -> np.ndarray:
    """Bits that anybody can make again: SHAKE-256 of "k,n"."""
    raw = hashlib.shake_256(f"{k},{n}".encode()).digest(-(-k // 8))
    return np.unpackbits(np.frombuffer(raw, np.uint8))[:k]


def cases() -> list[tuple[int, int, int, int]]:
    """List (k, n, bits per symbol, base graph); 0 for no interleaving and for the standard's own choice."""
    out = [(100, 300, 0, 0), (1024, 2048, 2, 0), (500, 600, 4, 0)]
    out += [(22 * z, 66 * z, 0, 1) for z in LIFTING]
    out += [(10 * z, 50 * z, 0, 2) for z in LIFTING if 10 * z > 640]
    out += [(6 * z, 30 * z, 0, 2) for z in LIFTING if 2 <= z <= 32]
    out += [(k, 4 * k, 0, 0) for k in (12, 20, 60, 150, 192, 193, 292, 293, 500, 560, 561, 600, 640, 641, 1000)]
    rng = np.random.default_rng(7)
    for order in (2, 4, 6, 8, 10):
        for _ in range(6):
            k = int(rng.integers(40, 8448))
            n = int(k / rng.uniform(0.35, 0.9)) // order * order
            out.append((k, n, order, 0))
    return out


def main() -> None:
    """Encode all cases and write the file beside this script."""
    import torch
    from sionna.phy.fec.ldpc import LDPC5GEncoder

    table, digests, whole = [], [], {}
    for k, n, order, graph in cases():
        code = LDPC5GEncoder(k, n, num_bits_per_symbol=order or None, bg=f"bg{graph}" if graph else None)
        info = torch.tensor(information(k, n)[None].astype(np.float32))
        words = code(info, rv=[0, 1, 2, 3])[0].cpu().numpy().round().astype(np.uint8)  # [rv, n]
        table.append((k, n, order, graph, {"bg1": 1, "bg2": 2}[code._bg], code.z))
        digests.append([np.frombuffer(hashlib.sha256(w.tobytes()).digest(), np.uint8) for w in words])
        if len(whole) < WHOLE:
            whole[f"word_{k}_{n}"] = np.packbits(words, axis=-1)
    file = Path(__file__).with_name("ldpc.npz")
    np.savez_compressed(file, cases=np.array(table, np.int32), digests=np.array(digests), **whole)


if __name__ == "__main__":
    main()
