"""Framing: layers of bytes into protected bits, and soft bits back into layers."""

from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np

from semwave.modulation import scene
from semwave.runtime import Context, FrameBlock, Frames, In, Out, Packet, Param, Stream, Tag

BYTES = Frames(np.uint8, ("byte",))
Mcs = Annotated[int, Param("index in TS 38.214, table 5.1.3.1-2", low=0, high=27)]


class Framer(FrameBlock):
    """Put a scene's layers behind a header, each with CRC and LDPC at its own modulation and rate.

    A layer is a packet of bytes whose ``meta`` says ``codec``, ``number``, ``height`` and ``width``; the key layer may
    have ``raw`` there: complex symbols of unit mean power that go on the air as they are, behind its bytes. Out come
    coded bits with tags: ``frame`` (symbols in all), ``modulation`` where it changes, ``raw`` (symbols that follow the
    one that this bit is in), ``scene`` (what is in it).
    """

    mask_mcs: Mcs = 1
    prompt_mcs: Mcs = 1
    sketch_mcs: Mcs = 2
    key_mcs: Mcs = 3
    header_symbols: Annotated[int, Param("QPSK symbols of the header", unit="symbols", low=96)] = scene.HEADER_SYMBOLS

    mask = In(BYTES, optional=True)
    prompt = In(BYTES, optional=True)
    sketch = In(BYTES, optional=True)
    key = In(BYTES)
    bits = Out(Stream(np.uint8))

    def start(self, ctx: Context) -> None:
        """Remember which layers there are."""
        self._ctx, self._names = ctx, list(ctx.inputs)

    def work(self, *layers: Packet) -> Iterator[Packet]:
        """One scene."""
        given = dict(zip(self._names, layers, strict=True))
        facts = given["key"].meta
        for name, packet in given.items():
            if packet.meta.get("number") != facts["number"]:
                raise ValueError(f"{name} is of picture {packet.meta.get('number')}, key of {facts['number']}")
        entries = {name: self._entry(name, p) for name, p in given.items()}
        seed = int(self._ctx.rng(facts["number"]).integers(0, 1 << 16))
        number = facts["number"] % (1 << 16)
        header = scene.SceneHeader(number, facts["height"], facts["width"], seed, **entries)
        yield self._packet(header, given, facts)

    def _entry(self, name: str, layer: Packet) -> scene.LayerEntry:
        raw = len(layer.meta.get("raw", ()))
        return scene.LayerEntry(layer.meta.get("codec", 0), getattr(self, f"{name}_mcs"), len(layer.data), raw)

    def _packet(self, header: scene.SceneHeader, given: dict[str, Packet], facts: Any) -> Packet:
        coded = [scene.encode_header(header, self.header_symbols)]
        tags = [Tag(0, "modulation", 4)]
        layers: dict[str, dict[str, int]] = {}
        at, order = coded[0].size, 4
        for part in scene.segments(header):
            layer, data = layers.setdefault(part.layer, {"symbols": 0}), given[part.layer].data
            layer["symbols"] += part.symbols
            if part.raw:
                layer["raw_symbols"] = part.symbols
                tags.append(Tag(at - 1, "raw", given[part.layer].meta["raw"]))
                continue
            if part.order != order:
                order = part.order
                tags.append(Tag(at, "modulation", order))
            coded.append(scene.encode_layer(data.tobytes(), header.layer(part.layer).mcs))
            layer.update(bytes=len(data), coded_bits=part.bits)
            at += part.bits
        total = self.header_symbols + scene.payload_symbols(header)
        about = {k: facts[k] for k in ("number", "height", "width", "name") if k in facts}
        tags += [Tag(0, "frame", total), Tag(0, "scene", {**about, "layers": layers})]
        return Packet(np.concatenate(coded), 0, tuple(tags))


class Deframer(FrameBlock):
    """Decode the layers of a received scene; what fails its CRC is left out and said so.

    Out comes one packet a burst: the bytes of all good layers in a row, with ``meta``: ``status`` ("ok", or "header"
    when nothing could be read), ``number``, ``height``, ``width``, ``seed``, ``layers`` (codec, place, ok), ``report``,
    and ``raw`` where a layer has symbols as they are: by its name, what the demodulator says of them.
    """

    iterations: Annotated[int, Param("LDPC iterations at most", low=1, high=200)] = 40

    llr = In(Frames(np.float32, ("bit",)))
    scene = Out(BYTES)

    def start(self, ctx: Context) -> None:
        """Count what is lost."""
        self._ctx = ctx

    def work(self, llr: Packet) -> Iterator[Packet]:
        """One burst."""
        facts = {"status": llr.meta["status"], "report": llr.meta["report"]}
        told = llr.meta.get("header")
        if told is None:
            self._ctx.count("scenes lost")
            yield Packet(np.empty(0, np.uint8), meta=facts)
            return
        entries = {name: scene.LayerEntry(**told[name]) for name in scene.LAYERS}
        header = scene.SceneHeader(told["number"], told["height"], told["width"], told["seed"], **entries)
        layers: dict[str, dict[str, Any]] = {}
        parts, at, bit = [], 0, 0
        for part in scene.segments(header):
            entry = header.layer(part.layer)
            if part.raw:
                self._count_raw(part.layer, llr.meta["raw"][part.layer])
                layers.setdefault(part.layer, {"codec": entry.codec, "ok": True, "at": at, "length": 0})
                continue
            found = scene.decode_layer(llr.data[bit : bit + part.bits], entry.length, entry.mcs, self.iterations)
            bit += part.bits
            self._ctx.count(f"{part.layer} layers {'lost' if found is None else 'ok'}")
            parts.append(found or b"")
            layers[part.layer] = {"codec": entry.codec, "ok": found is not None, "at": at, "length": len(parts[-1])}
            at += len(parts[-1])
        if header.prompt.length == 0 and header.prompt.codec:  # not sent again: the codec says which prompt still holds
            layers["prompt"] = {"codec": header.prompt.codec, "ok": True, "at": at, "length": 0}
        if "raw" in llr.meta:
            facts["raw"] = llr.meta["raw"]
        facts.update(number=header.number, height=header.height, width=header.width, seed=header.seed, layers=layers)
        yield Packet(np.frombuffer(b"".join(parts), np.uint8), meta=facts)

    def _count_raw(self, name: str, raw: Any) -> None:
        lost = int(np.isinf(raw["noise_variance"]).sum())
        self._ctx.count(f"{name} symbols ok", len(raw["noise_variance"]) - lost)
        self._ctx.count(f"{name} symbols lost", lost)


def layer_bytes(packet: Packet, name: str) -> bytes | None:
    """A layer of a scene packet; None when it was lost or not sent."""
    entry = packet.meta.get("layers", {}).get(name)
    if entry is None or not entry["ok"]:
        return None
    return packet.data[entry["at"] : entry["at"] + entry["length"]].tobytes()
