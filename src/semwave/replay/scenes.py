"""Semwave's own bursts over recordings: scenes, their layers, and the pictures they become."""

from typing import Any

import numpy.typing as npt

from semwave.blocks.framing import Deframer, layer_bytes
from semwave.blocks.modem import OfdmDemodulator
from semwave.modulation import scene
from semwave.modulation.ofdm import BurstLayout
from semwave.replay.frame import Frame, some
from semwave.runtime import Context, Packet, ParameterError
from semwave.runtime.params import param_specs, unknown

Array = npt.NDArray[Any]


class SceneReceiver:
    """Bursts of :class:`~semwave.blocks.modem.OfdmModulator`; options are parameters of ``OfdmDemodulator``.

    The blocks are those of a live link, so what comes out is what came out there. Each frame's ``source`` is the
    scene packet for a decoder.
    """

    name = "semwave"

    def __init__(self, rate: float | None = None, options: dict[str, Any] | None = None) -> None:
        given = dict(options or {})
        known = param_specs(OfdmDemodulator)
        for name in given:
            if name not in known:
                raise ParameterError(unknown(name, known), "OfdmDemodulator")
        if rate is not None:
            given["sample_rate"] = rate
        self._demodulator, self._deframer = OfdmDemodulator(**given), Deframer()
        self.rate = self._demodulator.sample_rate
        self._context = Context("replay", 0, {}, {}, 8192)
        self._demodulator.start(self._context)
        self._deframer.start(self._context)
        params = self._demodulator.numerology()
        self._layout = BurstLayout(params, self._demodulator.header_symbols)
        self._bandwidth_hz = (params.active + 1) * params.carrier_spacing_hz
        self._points: Array | None = None

    def at_rate(self, rate: float) -> None:
        """It has a rate of its own."""

    def push(self, samples: Array) -> list[Frame]:
        """Take samples `[n]` at ``rate``, give the scenes that are whole."""
        return self._frames(self._demodulator.work(Packet(samples)))

    def finish(self) -> list[Frame]:
        """The scenes that are left."""
        return self._frames(self._demodulator.finish())

    def trouble(self) -> list[str]:
        """What was strange about the samples."""
        return list(self._context.warnings)

    def _frames(self, found: Any) -> list[Frame]:
        frames = []
        for port, packet in found:
            if port == "symbols":
                self._points = some(packet.data) if packet.data.size else None
                continue
            frames += [self._frame(packet, deframed) for deframed in self._deframer.work(packet)]
            self._points = None
        return frames

    def _frame(self, llr: Packet, deframed: Packet) -> Frame:
        meta, report = deframed.meta, llr.meta["report"]
        truncated = llr.meta["status"] == "truncated"
        frame = Frame(
            start=int(llr.meta["at"]), count=self._layout.length(0), kind="scene",
            status="truncated" if truncated else "bad header", cfo_hz=report["cfo_hz"], snr_db=report["snr_db"],
            evm_db=report["evm_db"], bandwidth_hz=self._bandwidth_hz, source=deframed, points=self._points,
        )  # fmt: skip
        frame.facts = {
            "sampling_offset_ppm": round(report["sampling_offset_ppm"], 2),
            "delay_spread_s": report["delay_spread_s"], "doppler_hz": report["doppler_hz"],
        }  # fmt: skip
        if "layers" not in meta:
            return frame
        return self._with_layers(frame, llr.meta["header"], meta, truncated, deframed)

    def _with_layers(self, frame: Frame, header: Any, meta: Any, truncated: bool, packet: Packet) -> Frame:
        layers = meta["layers"]
        lost = [name for name, entry in layers.items() if not entry["ok"]]
        entries = {name: scene.LayerEntry(**header[name]) for name in scene.LAYERS}
        told = scene.SceneHeader(header["number"], header["height"], header["width"], header["seed"], **entries)
        frame.count = self._layout.length(scene.payload_symbols(told))
        frame.rate = f"MCS {header['key']['mcs']}"
        frame.length = sum(header[name]["length"] for name in layers)
        frame.payload, frame.check = packet.data.tobytes(), not lost
        if not truncated:
            frame.status = "ok" if not lost else f"lost layers: {', '.join(lost)}"
        sizes = " + ".join(f"{name} {header[name]['length']} B" for name in layers)
        frame.about = f"picture {meta['number']}, {meta['width']}x{meta['height']}: {sizes}"
        frame.facts |= {"picture": meta["number"], "width": meta["width"], "height": meta["height"]}
        frame.facts |= {"layers": {name: {**header[name], "ok": e["ok"]} for name, e in layers.items()}, "lost": lost}
        return frame


def prompt_of(packet: Packet) -> str:
    """The prompt that a scene packet carries; empty where it was lost or not sent."""
    from semwave.models.prompt import decode_prompt

    data = layer_bytes(packet, "prompt")
    try:
        return decode_prompt(data) if data else ""
    except ValueError:
        return ""
