"""Frame error rates against published and independently simulated curves, BPSK over AWGN, 20 iterations."""

import numpy as np
import pytest
from scipy import stats

from semwave.modulation import ldpc

# Eb/N0 in dB and frame error rates from independent simulations; 802.11n (648, 540) also from AFF3CT's archive.
ANCHORS = [
    (ldpc.WifiCode(1944, "1/2"), 1.25, {"algorithm": "spa"}, 4.4e-2, 1000),
    (ldpc.WifiCode(1944, "1/2"), 1.5, {"factor": 0.75}, 4.5e-2, 1500),
    (ldpc.WifiCode(1944, "1/2"), 1.5, {"factor": 0.8}, 1.7e-2, 3000),
    (ldpc.WifiCode(648, "5/6"), 4.0, {"algorithm": "spa"}, 5.49e-3, 6000),
    (ldpc.NrCode(1024, 2048), 1.25, {"algorithm": "spa"}, 1.8e-2, 1500),
    (ldpc.NrCode(1024, 2048), 1.25, {"factor": 0.7}, 0.107, 800),
]
STEP_DB = 0.1  # curves agree when they lie within this of each other ...
DECADES_PER_DB = 3.0  # ... and this is how steep these waterfalls are (from pairs of anchors)


def frame_errors(code: ldpc.LdpcCode, ebn0_db: float, frames: int, **options: object) -> int:
    rng = np.random.default_rng(11)
    n0 = 10 ** (-ebn0_db / 10) * code.n / code.k
    bits = rng.integers(0, 2, (frames, code.k), dtype=np.uint8)
    llr = rng.standard_normal((frames, code.n), dtype=np.float32) * np.float32(np.sqrt(n0 / 2))
    llr += 2 * code.encode(bits).astype(np.float32) - 1
    found = code.decode(llr * np.float32(4 / n0), **options)  # type: ignore[arg-type]
    return int((found.bits != bits).any(axis=1).sum())


@pytest.mark.parametrize(("code", "ebn0_db", "options", "rate", "frames"), ANCHORS)
def test_frame_error_rates(
    code: ldpc.LdpcCode, ebn0_db: float, options: dict[str, object], rate: float, frames: int
) -> None:
    errors = frame_errors(code, ebn0_db, frames, **options)
    low = stats.beta.ppf(0.0005, errors, frames - errors + 1)  # Clopper-Pearson, 99.9 %
    high = stats.beta.ppf(0.9995, errors + 1, frames - errors)
    slack = 10 ** (DECADES_PER_DB * STEP_DB)
    assert low / slack < rate < high * slack, (errors, frames)
    assert errors > 0


def test_fixed_point_loses_little() -> None:
    """int16 against float32 on the same noise; int8 within the 0.1 dB that three quarters of a bit may cost."""
    code = ldpc.WifiCode(1944, "1/2")
    exact, short, tiny = (frame_errors(code, 1.4, 1000, precision=p) for p in ("float32", "int16", "int8"))
    assert abs(short - exact) <= 4 * np.sqrt(exact)
    assert tiny <= exact * 10 ** (DECADES_PER_DB * STEP_DB)


@pytest.mark.parametrize("precision", ["int16", "int8"])
def test_fixed_point_holds_on_base_graph_1(precision: str) -> None:
    """The heavy punctured columns saturate an int8 decoder whose messages are not limited; this one's are."""
    code = ldpc.NrCode(4224, 8448)
    assert frame_errors(code, 1.5, 120, precision=precision) <= 2
