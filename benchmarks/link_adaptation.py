"""Adaptive modulation and coding against every fixed choice, over a channel whose power comes and goes.

    python benchmarks/link_adaptation.py [--quick] [--frames N] [--doppler HZ ...]

Frames of 4,000 key symbols, 40 ms apart, through the complete modem (TDL-C, 300 ns) on the same air for all. The mean
SNR is 8 dB and swings by 6 dB every 4 s; fading at the Doppler shift of the case. The key layer is as many bytes as
the MCS has room for.

* bytes: bytes a frame that arrived; the peer is the best of the fixed MCS, chosen in hindsight
* lost: share of key layers lost, 0.1 being asked for; the peer is that fixed MCS
"""

import argparse
from typing import Any

import numpy as np
from _report import emit

from semwave.blocks.adaptation import Air
from semwave.modulation import adaptation, scene
from semwave.runtime import Context, Packet

SYMBOLS, FRAME_S = 4000, 0.04
CHANNEL = {"profile": "TDL-C", "snr_db": 8.0, "delay_spread_s": 300e-9, "cfo_hz": 500.0}
FIXED = (1, 3, 5, 7, 9, 11, 13)


def layers(mcs: int, number: int) -> dict[str, Packet]:
    """A robust layer of 20 bytes and as much key as fits."""
    rng = np.random.default_rng(number)
    facts = {"number": number, "height": 100, "width": 100, "codec": 1}
    size = scene.capacity(SYMBOLS, mcs)
    return {
        "prompt": Packet(rng.integers(0, 256, 20).astype(np.uint8), meta=facts),
        "key": Packet(rng.integers(0, 256, size).astype(np.uint8), meta=facts),
    }


def run(frames: int, doppler_hz: float, fixed: int | None, feedback_loss: float = 0.0, **options: Any) -> Any:
    """Bytes that arrived and share of key layers lost, by frame; the schemes used."""
    ctx = Context("link", 3, {}, {}, 8192)
    air = Air(ctx, {**CHANNEL, "doppler_hz": doppler_hz}, FRAME_S, 6.0, 4.0)
    controller = adaptation.LinkController(FRAME_S, air.bandwidth_hz, **options)
    rng, came, lost, used = np.random.default_rng(1), [], [], []
    for number in range(frames):
        decision = controller.decide() if fixed is None else adaptation.Decision(1, fixed, None)
        _, told, _, _ = air.send(layers(decision.key_mcs, number), decision)
        controller.send_back(None if rng.random() < feedback_loss else told)
        ok = bool(told and told.key_ok)
        came.append(ok * scene.capacity(SYMBOLS, decision.key_mcs))
        lost.append(not ok)
        used.append(decision.key_mcs)
    return float(np.mean(came)), float(np.mean(lost)), used


def main() -> None:
    """All cases."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--frames", type=int, default=0)
    parser.add_argument("--doppler", type=float, nargs="+", help="Hz, instead of the usual")
    args = parser.parse_args()
    frames = args.frames or (50 if args.quick else 400)
    dopplers, choices = ((5.0,), (1, 3, 5, 9)) if args.quick else ((2.0, 10.0, 50.0), FIXED)
    for doppler_hz in args.doppler or dopplers:
        fixed = {mcs: run(frames, doppler_hz, mcs) for mcs in choices}
        best = max(fixed, key=lambda m: fixed[m][0])
        name = f"fixed MCS {best}"
        ways: list[tuple[str, dict[str, Any]]] = [("target 0.1", {}), ("goodput", {"target": None})]
        ways += [(f"goodput, delay {n}", {"target": None, "delay": n}) for n in (3, 10)]
        ways += [("goodput, half of the reports lost", {"target": None, "feedback_loss": 0.5})]
        for what, options in ways[: 2 if args.quick else 5]:
            came, lost, _ = run(frames, doppler_hz, None, **options)
            case = f"{doppler_hz:g} Hz/{what}"
            emit("link_adaptation", f"{case}/bytes", came, "bytes a frame", name, fixed[best][0])
            emit("link_adaptation", f"{case}/lost", lost, "share of key layers", name, fixed[best][1])


if __name__ == "__main__":
    main()
