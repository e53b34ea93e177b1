"""Ask GNU Radio, in a process of its own, to transmit or receive: what tests and benchmarks share."""

import json
import subprocess
from functools import cache
from pathlib import Path

import numpy as np

PYTHON = "/usr/bin/python3"
DRIVER = Path(__file__).with_name("ofdm_driver.py")
MISSING = f"GNU Radio is not importable by {PYTHON}"


@cache
def version():
    """GNU Radio's version, None where there is none."""
    try:
        done = subprocess.run(
            [PYTHON, "-c", "from gnuradio import digital, gr; print(gr.version())"],
            check=False, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def call(command, folder, **spec):
    """``transmit`` or ``receive`` arrays; ``folder`` holds the files that carry them."""
    source, target = Path(folder) / "in.npz", Path(folder) / "out.npz"
    np.savez(source, **spec)
    subprocess.run(
        [PYTHON, str(DRIVER), command, str(source), str(target)], check=True, timeout=100, capture_output=True
    )
    with np.load(target) as file:
        return {name: file[name] for name in file.files}


def transmit(folder, payloads, bits, scramble):
    """Samples of stock frames."""
    lengths = [len(p) for p in payloads]
    data = np.frombuffer(b"".join(payloads), np.uint8)
    return call("transmit", folder, data=data, lengths=lengths, bits=bits, scramble=scramble)["samples"]


def receive(folder, samples, bits, scramble):
    """Payloads that the stock receiver delivers."""
    got = call("receive", folder, samples=samples.astype(np.complex64), bits=bits, scramble=scramble)
    ends = np.cumsum(got["lengths"]).astype(int)
    return [got["data"][a:b].tobytes() for a, b in zip([0, *ends[:-1]], ends, strict=True)]


def loopback(size, bits, gap, seconds=1.0, windows=3):
    """Rates of a running stock loopback."""
    arguments = [str(v) for v in (size, bits, gap, seconds, windows)]
    done = subprocess.run(
        [PYTHON, str(DRIVER), "loopback", *arguments], check=True, timeout=120, capture_output=True, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])
