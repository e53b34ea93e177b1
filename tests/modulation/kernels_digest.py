"""Run as a script: digests of what the modem's compiled kernels compute, one JSON object on standard output."""

import hashlib
import json
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation import awgn_link, coding, fading, noise, oscillator, qam, resample
from semwave.modulation.clock import SampleClockOffset
from semwave.modulation.gnuradio_ofdm import Receiver, Transmitter
from semwave.modulation.ofdm import OfdmParams
from semwave.modulation.ofdm.receive import BurstReceiver
from semwave.modulation.ofdm.transmit import BurstTransmitter

Array = npt.NDArray[Any]
RATE = 1.92e6


def _digest(*values: Any) -> str:
    return hashlib.sha256(b"".join(np.ascontiguousarray(v).tobytes() for v in values)).hexdigest()[:16]


def _hiss(n: int, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    return ((rng.normal(size=n) + 1j * rng.normal(size=n)) * 0.1).astype(np.complex64)


def _air(x: Array) -> dict[str, str]:
    def channel(name: str) -> Any:
        return fading.create(name, sample_rate=RATE, rng=np.random.default_rng(3), doppler_hz=30.0)

    return {
        "TDL-C": _digest(channel("TDL-C").process(x)),
        "rayleigh": _digest(channel("rayleigh").process(x)),
        "carrier offset": _digest(oscillator.CarrierOffset(sample_rate=RATE, cfo_hz=1000.0).process(x)),
        "sample clock": _digest(SampleClockOffset(ppm=20.0).process(x)),
        "noise": _digest(noise.AwgnStream(np.random.default_rng(5)).add(x, 0.1)),
        "resample": _digest(resample.resample(x, 1.92e6, 1.536e6)),
    }


def _bursts() -> tuple[Array, str]:
    params, rng = OfdmParams(), np.random.default_rng(1)
    header, payload = (qam.map_bits(rng.integers(0, 2, 2 * n, np.uint8), 4) for n in (600, 3000))
    sent = np.pad(BurstTransmitter(params, header_symbols=600).burst(header, payload), 500)
    receiver = BurstReceiver(params, 600, on_header=lambda symbols, noise_variance: 3000)
    (burst,) = receiver.push(sent + _hiss(sent.size, 8)) + receiver.finish()
    return sent, _digest(burst.payload, burst.header, burst.start, burst.report.cfo_hz, burst.report.noise_variance)


def _packets() -> str:
    sent = Transmitter().frames([bytes(range(200))] * 2, gap=300)
    receiver = Receiver(points=True)
    packets = receiver.push(sent + _hiss(sent.size, 9)) + receiver.finish()
    return _digest(*(np.frombuffer(repr(p).encode(), np.uint8) for p in packets))


def _codes() -> dict[str, str]:
    rng, found = np.random.default_rng(2), {}
    for name, args in (("ldpc_80211n", (648, "1/2")), ("conv_k7", (200,))):
        code = coding.code(name, *args)
        bits = rng.integers(0, 2, code.k, np.uint8)
        symbols = qam.map_bits(np.pad(code.encode(bits), (0, -code.n % 4)), 16)
        for exact in (False, True):
            llr = qam.demap_llr(symbols + 3 * _hiss(symbols.size, 4), 16, 0.2, "exact" if exact else "maxlog")
            found[f"{name} in one pass"] = _digest(awgn_link.soft_bits(bits[: code.k // 4 * 4], 16, 0.2, 6))
            found[f"{name} {exact}"] = _digest(llr, code.decode(llr[: code.n]).bits)
    return found


if __name__ == "__main__":
    samples, burst = _bursts()
    print(json.dumps({"burst": burst, "packets": _packets(), **_air(samples), **_codes()}))
