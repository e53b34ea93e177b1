"""A link that watches itself: transmitter, air and receiver of one frame after another, closed through feedback."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

import numpy as np

from semwave.blocks.channel import PROFILES, FadingChannel
from semwave.blocks.framing import Deframer, Framer
from semwave.blocks.modem import OfdmDemodulator, OfdmModulator, QamMapper
from semwave.blocks.segment import Segmenter
from semwave.blocks.semantic import CONSTELLATIONS, SemanticEncoder
from semwave.blocks.text import SketchEncoder, TextEncoder
from semwave.modulation import adaptation, scene
from semwave.runtime import Array, Context, FrameBlock, Frames, In, Out, Packet, Param, Stream, text_of, text_packet

BYTES = Frames(np.uint8, ("byte",))
SHARES = (1.0, 0.7, 0.5, 0.35, 0.25)
"""Of the key region's budget, from the whole of it to the least that is still sent as key."""


class Air:
    """One frame at a time through modulator, channel and demodulator, with silence between the frames.

    ``swing_db`` raises and lowers the transmitted power as ``swing_db sin(2 pi t / swing_s)``: a walk towards the
    receiver and away from it.
    """

    def __init__(self, ctx: Context, channel: dict[str, Any], frame_s: float, swing_db: float, swing_s: float) -> None:
        self._mapper, self._ofdm = QamMapper(), OfdmModulator()
        self._demod, self._deframer = OfdmDemodulator(), Deframer()
        rate = self._ofdm.sample_rate
        self._channel = FadingChannel(**channel, sample_rate=rate)
        self._frame_samples, self._swing_db, self._swing_s = round(frame_s * rate), swing_db, swing_s
        self._frame, self._frame_s = 0, frame_s
        self._bits = self._symbols = 0  # sent so far
        spec = Stream(np.complex64, sample_rate=rate)
        for block in (self._mapper, self._ofdm, self._demod, self._deframer):
            block.start(ctx)
        self._channel.start(Context("channel", ctx.seed, {"samples": spec}, {"received": spec}, ctx.chunk))
        self._ctx = ctx
        self.bandwidth_hz = self._ofdm.active * rate / self._ofdm.fft_size

    def send(self, layers: dict[str, Packet], decision: adaptation.Decision) -> tuple[Any, Any, Array, Any]:
        """Scene packet or None, report or None, samples sent, accounting packet."""
        robust = decision.robust_mcs
        framer = Framer(mask_mcs=robust, prompt_mcs=robust, sketch_mcs=robust, key_mcs=decision.key_mcs)
        inputs: dict[str, Any] = dict.fromkeys(layers, BYTES)
        framer.start(Context("framer", self._ctx.seed, inputs, {}, self._ctx.chunk))
        made = [out for part in framer.work(*layers.values()) for out in self._modulated(part)]
        samples = np.concatenate([p.data for port, p in made if port == "samples"])
        account = next(p for port, p in made if port == "accounting")
        silence = max(self._frame_samples - samples.size, 2 * self._ofdm.gap)
        sent = np.concatenate([samples, np.zeros(silence, np.complex64)])
        scenes = list(self._received(self._faded(sent)))
        self._frame += 1
        scene_packet, report = scenes[0] if scenes else (None, None)
        return scene_packet, report, sent, account

    def _modulated(self, bits: Packet) -> Iterator[tuple[str, Packet]]:
        """Through mapper and modulator; both count their items, as a run would do for them."""
        for symbols in self._mapper.work(Packet(bits.data, self._bits, _moved(bits.tags, self._bits), bits.meta)):
            tags = _moved(symbols.tags, self._symbols)
            yield from self._ofdm.work(Packet(symbols.data, self._symbols, tags, symbols.meta))
            self._symbols += len(symbols.data)
        self._bits += len(bits.data)

    def _faded(self, samples: Array) -> Array:
        phase = 2 * np.pi * self._frame * self._frame_s / self._swing_s
        gain = np.float32(10 ** (self._swing_db * np.sin(phase) / 20))
        received, _ = self._channel.work(samples * gain)
        return np.asarray(received, np.complex64)

    def _received(self, samples: Array) -> Iterator[tuple[Packet, adaptation.Report]]:
        noise: Array = np.empty(0)
        for port, packet in self._demod.work(Packet(samples)):
            if port == "symbols":
                noise = packet.meta["noise_variance"]
                continue
            for found in self._deframer.work(packet):
                yield found, report(found, noise)
            noise = np.empty(0)


def _moved(tags: Any, by: int) -> Any:
    return tuple(t._replace(at=t.at + by) for t in tags)


def report(packet: Packet, noise_variance: Array) -> adaptation.Report:
    """What the receiver sends back about a scene; where the header was lost, the preamble's SNR is all there is."""
    told = packet.meta["report"]
    layers = packet.meta.get("layers", {})
    if noise_variance.size:
        effective = {m: adaptation.effective_snr_db(noise_variance, m) for m in adaptation.ORDERS}
    else:
        effective = dict.fromkeys(adaptation.ORDERS, float(told["snr_db"]))
    return adaptation.Report(
        effective, told["snr_db"], told["doppler_hz"], told["delay_spread_s"],
        key_ok=layers.get("key", {}).get("ok", False),
        robust_ok=bool(layers) and all(entry["ok"] for name, entry in layers.items() if name != "key"),
    )  # fmt: skip


class LinkAdapter(FrameBlock):
    """Send each picture as the channel allows: transmitter, air and receiver in one block, closed through feedback.

    The receiver's report of a frame (effective SNR, Doppler shift, delay spread, which layers came) is back ``delay``
    frames later, or lost. From it follow the MCS of the key layer, so that a share ``target`` of them is lost or, with
    ``goal = "goodput"``, that most arrives; that of the other layers; the SNR that symbols are made for; and how much
    of the picture is key: as much as has ``least_bits`` a pixel, the rest is left to generation. ``policy = "fixed"``
    sends everything at ``robust_mcs`` and ``key_mcs`` instead. Each key layer takes ``cbr`` channel uses a sample of
    the picture whatever is decided. ``decision`` tells each frame's, as JSON.
    """

    heavy = True
    policy: Annotated[str, Param("who chooses", choices=("adaptive", "fixed"))] = "adaptive"
    robust_mcs: Annotated[int, Param("policy fixed: MCS of mask, prompt and sketch", low=0, high=27)] = 1
    key_mcs: Annotated[int, Param("policy fixed: MCS of the key layer", low=0, high=27)] = 3
    delay: Annotated[int, Param("until a report can be used", unit="frames", low=1, high=1000)] = 1
    feedback_loss: Annotated[float, Param("share of reports lost", low=0, high=1)] = 0.0
    goal: Annotated[str, Param("a share of key layers lost, or most that arrives", choices=("target", "goodput"))] = (
        "target"
    )
    target: Annotated[float, Param("share of key layers that may be lost", low=0.001, high=0.5)] = 0.1
    least_bits: Annotated[float, Param("bits a key pixel below which less is key", unit="bit", low=0)] = 0.25
    segmenter: Annotated[str, Param("what judges importance, as the model of Segmenter")] = "tiny"
    budget: Annotated[float, Param("share of the picture that may be key", low=0.001, high=1)] = 0.35
    codec: Annotated[str, Param("image codec, or jscc", choices=("avif", "webp", "jpeg", "jscc"))] = "avif"
    constellation: Annotated[str | int, Param("where symbols of jscc may lie", choices=CONSTELLATIONS)] = "free"
    key_model: Annotated[str, Param("weights of jscc: a name or a folder")] = "default"
    cbr: Annotated[float, Param("channel uses of the key layer per sample of the picture", low=0, high=4)] = 0.01
    caption: Annotated[str, Param("own, off, text:WORDS or hub:ID-OR-FOLDER")] = "own"
    limit_bytes: Annotated[int, Param("longest prompt layer", unit="bytes", low=0, high=1024)] = 64
    sketch_bytes: Annotated[int, Param("bytes of the sketch", unit="bytes", low=0, high=64)] = 64
    profile: Annotated[str, Param("delay profile", choices=tuple(p for p in PROFILES if p != "custom"))] = "TDL-C"
    snr_db: Annotated[float, Param("mean Es/N0", unit="dB", low=-60, high=200)] = 8.0
    doppler_hz: Annotated[float, Param("maximum Doppler shift", unit="Hz", low=0)] = 5.0
    delay_spread_s: Annotated[float, Param("rms delay spread (TDL profiles)", unit="s", low=0)] = 300e-9
    cfo_hz: Annotated[float, Param("carrier frequency offset", unit="Hz")] = 0.0
    swing_db: Annotated[float, Param("amplitude of the slow change of power", unit="dB", low=0)] = 6.0
    swing_s: Annotated[float, Param("its period", unit="s", low=0.001)] = 4.0
    frame_s: Annotated[float, Param("from one frame to the next", unit="s", low=0.001)] = 0.04

    image = In(Frames(np.uint8, ("row", "column", 3)))
    scene = Out(BYTES)
    mask = Out(Frames(np.uint8, ("row", "column")), optional=True)
    accounting = Out(BYTES, optional=True)
    decision = Out(BYTES, optional=True, doc="JSON")
    samples = Out(Stream(np.complex64), optional=True)

    def check(self) -> None:
        """The segmenter's model must be known, the caption one of the four kinds."""
        from semwave.models.segment.backends import BACKENDS
        from semwave.models.text import choose

        if self.segmenter not in BACKENDS and not self.segmenter.startswith("hub:"):
            raise ValueError(f"segmenter must be {', '.join(BACKENDS)} or hub:ID, not {self.segmenter!r}")
        choose.check(self.caption)

    def negotiate(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Samples at the modulator's rate."""
        outputs = super().negotiate(inputs)
        return {**outputs, "samples": Stream(np.complex64, sample_rate=OfdmModulator().sample_rate)}

    def start(self, ctx: Context) -> None:
        """Build both ends, the air between them, and the controller."""
        self._ctx = ctx
        names = ("profile", "snr_db", "doppler_hz", "delay_spread_s", "cfo_hz")
        channel = {name: getattr(self, name) for name in names}
        self._air = Air(ctx, channel, self.frame_s, self.swing_db, self.swing_s)
        self._controller = adaptation.LinkController(
            self.frame_s, self._air.bandwidth_hz, self.delay, self.target if self.goal == "target" else None
        )
        self._feedback = ctx.rng(1)
        self._text = TextEncoder(limit_bytes=self.limit_bytes, caption=self.caption)
        self._sketch = SketchEncoder(size_bytes=self.sketch_bytes)
        self._segmenters: dict[float, Segmenter] = {}
        for block in (self._text, self._sketch):
            block.start(ctx)

    def work(self, image: Packet) -> Iterator[tuple[str, Packet]]:
        """One picture, sent and received."""
        decision = self._controller.decide()
        if self.policy == "fixed":
            decision = adaptation.Decision(self.robust_mcs, self.key_mcs, None, decision.age_frames)
        elif self.codec == "jscc":  # without the bytes beside them, its symbols are nothing
            decision = replace(decision, key_mcs=decision.robust_mcs)
        share = self._share(image, decision)
        grid, layers = self._encoded(image, decision, share)
        received, told, samples, account = self._air.send(layers, decision)
        lost = bool(self._feedback.random() < self.feedback_loss)
        self._ctx.count("reports lost", int(lost))
        self._controller.send_back(None if lost else told)
        yield "mask", grid
        yield "samples", Packet(samples)
        yield "accounting", account
        if received is None:
            self._ctx.count("bursts not found")
        else:
            yield "scene", received
        yield "decision", self._told(image, decision, share, told, account)

    def _share(self, image: Packet, decision: adaptation.Decision) -> float:
        """The largest share of the key budget that leaves ``least_bits`` for each of its pixels."""
        if self.policy == "fixed":
            return SHARES[0]
        pixels = image.data.shape[0] * image.data.shape[1]
        symbols = self.cbr * 3 * pixels
        if self.codec == "jscc":
            bits = symbols * np.log2(1 + 10 ** ((0.0 if decision.snr_db is None else decision.snr_db) / 10))
        else:
            bits = 8.0 * scene.capacity(int(symbols), decision.key_mcs)
        enough = [s for s in SHARES if bits >= self.least_bits * s * self.budget * pixels]
        return max(enough, default=SHARES[-1])

    def _encoded(self, image: Packet, decision: adaptation.Decision, share: float) -> tuple[Packet, dict[str, Packet]]:
        """The mask, and all layers of a picture."""
        segmented = dict(self._segmenter(share).work([image]))
        grid = segmented["mask"]
        semantic = SemanticEncoder(
            codec=self.codec, cbr=self.cbr, mcs=decision.key_mcs, constellation=self.constellation,
            snr_db=decision.snr_db, model=self.key_model,
        )  # fmt: skip
        semantic.start(self._ctx)
        layers = {
            "mask": segmented["layer"],
            "prompt": next(p for port, p in self._text.work(image, grid) if port == "layer"),
            "sketch": next(iter(self._sketch.work(image, grid))),
            "key": next(iter(semantic.work(image, grid))),
        }
        return grid, layers

    def _segmenter(self, share: float) -> Segmenter:
        if share not in self._segmenters:
            self._segmenters[share] = Segmenter(model=self.segmenter, budget=self.budget * share)
            self._segmenters[share].start(self._ctx)
        return self._segmenters[share]

    def _told(self, image: Packet, decision: adaptation.Decision, share: float, told: Any, account: Packet) -> Packet:
        row = {
            "number": image.meta["number"], "robust_mcs": decision.robust_mcs, "key_mcs": decision.key_mcs,
            "snr_db": decision.snr_db, "margin_db": decision.margin_db, "age_frames": decision.age_frames,
            "key_share": share * self.budget, "payload": json.loads(text_of(account))["payload"],
            "key_ok": bool(told and told.key_ok), "robust_ok": bool(told and told.robust_ok),
            "snr_received_db": None if told is None else told.snr_db,
        }  # fmt: skip
        return text_packet(json.dumps(row), number=image.meta["number"])
