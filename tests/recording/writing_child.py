"""Records a ramp for ever: run by the tests, which kill it. Prints how many samples it has made sure of."""

import sys

import numpy as np

from semwave.recording import Writer

base, datatype, split = sys.argv[1], sys.argv[2], int(sys.argv[3])
writer = Writer(base, 1e6, datatype=datatype, split_samples=split or None, meta_interval_s=0.01, frequency=1e9)
rng, at = np.random.default_rng(0), 0
while True:
    n = int(rng.integers(1, 20000))
    index = np.arange(at, at + n)
    writer.write(((index % 30000) / 32768 + 1j * (index // 30000) / 32768).astype(np.complex64))
    writer.annotate(at, n, label="piece")
    at += n
    if rng.random() < 0.05:
        writer.lost(7)
    if rng.random() < 0.05:
        writer.flush()
        print(at, flush=True)
