"""Compare what arrived with what was sent, with every channel use counted."""

import json
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

import numpy as np

from semwave.runtime import Array, Context, FrameBlock, Frames, In, Out, Packet, Param, text_of, text_packet

IMAGE = Frames(np.uint8, ("row", "column", 3))
TEXT = Frames(np.uint8, ("byte",))
Name = Literal["psnr", "ssim", "ms_ssim", "vsi", "lpips", "dists", "hallucination"]


class Score(FrameBlock):
    """One row a picture: frame result, SNR as received, channel uses, bits per layer, metrics of all and of the key.

    The bandwidth ratio CBR is complex channel uses over 3 x height x width: ``cbr_payload`` counts the layers' symbols,
    ``cbr_total`` everything that the burst took of the band (header, pilots, preamble, cyclic prefix, padding). A
    picture
    that never came is scored as mid-grey and its result says so.
    """

    pairing = "any"

    metrics: Annotated[
        tuple[Name, ...],
        Param(
            "what to measure, whole (psnr) and in the key region (psnr_key); dists needs 'semwave models fetch metrics'"
        ),
    ] = ("psnr", "ssim", "lpips")

    sent = In(IMAGE)
    image = In(IMAGE)
    accounting = In(TEXT, doc="of the modulator, JSON")
    mask = In(Frames(np.uint8, ("row", "column")), optional=True)
    provenance = In(Frames(np.uint8, ("row", "column")), optional=True)
    baseline = In(IMAGE, optional=True)
    baseline_accounting = In(TEXT, optional=True)
    row = Out(TEXT)

    def start(self, ctx: Context) -> None:
        """Nothing has come yet."""
        from semwave.bench.weights import need

        if "dists" in self.metrics:
            need()
        self._ctx = ctx
        self._have: dict[int, dict[str, Any]] = {}
        self._needs = set(ctx.inputs)

    def work(self, port: str, packet: Packet) -> Iterator[Packet]:
        """A row as soon as all that belongs to a picture is there."""
        told = json.loads(text_of(packet)) if port.endswith("accounting") else None
        number = told["number"] if told else packet.meta["number"]
        have = self._have.setdefault(number, {})
        if port in have:
            self._ctx.count("pictures received twice")
            return
        have[port] = told or packet
        if self._needs <= have.keys():
            yield self._row(number)

    def finish(self) -> Iterable[Packet]:
        """Rows of the pictures of which something is missing."""
        for number in sorted(self._have):
            if "sent" in self._have[number]:
                yield self._row(number)
            else:
                self._ctx.count("pictures received that nobody sent")

    def _row(self, number: int) -> Packet:
        have = self._have.pop(number)
        sent = have["sent"]
        height, width = sent.data.shape[:2]
        row: dict[str, Any] = {
            "number": number,
            "name": sent.meta.get("name", str(number)),
            "height": height,
            "width": width,
        }
        row.update(self._reception(have.get("image")))
        row.update(_channel_uses(have.get("accounting"), height * width * 3))
        key = _key_region(have.get("mask"), height, width)
        row["key_share"] = None if key is None else float(key.mean())
        row.update(_quality(self.metrics, sent.data, _picture(have.get("image"), sent.data), key))
        if "provenance" in have:
            shares = np.bincount(have["provenance"].data.reshape(-1), minlength=3) / (height * width)
            row.update(zip(("received", "inferred", "invented"), map(float, shares), strict=False))
        if "baseline" in self._needs:
            row["baseline"] = {
                "result": "ok" if "baseline" in have and not have["baseline"].meta.get("lost") else "lost",
                "codec": have["baseline"].meta.get("codec_name", "") if "baseline" in have else "",
                **_channel_uses(have.get("baseline_accounting"), height * width * 3),
                **_quality(self.metrics, sent.data, _picture(have.get("baseline"), sent.data), key),
            }
        return text_packet(json.dumps(row))

    def _reception(self, image: Packet | None) -> dict[str, Any]:
        if image is None:
            self._ctx.count("pictures lost")
            return {"result": "lost picture", "prompt": None, "reception": None}
        lost = image.meta.get("lost", [])
        result = "ok" if not lost else ", ".join(lost) + " lost"
        return {"result": result, "prompt": image.meta.get("prompt"), "reception": image.meta.get("report")}


def _channel_uses(account: dict[str, Any] | None, samples: int) -> dict[str, Any]:
    if account is None:
        return {}
    payload = account["payload"]
    return {
        "cbr_payload": payload / samples,
        "cbr_total": account["channel_uses"] / samples,
        "channel_uses": {
            k: v for k, v in account.items() if isinstance(v, int) and k not in ("number", "height", "width")
        },
        "layers": account.get("layers", {}),
    }


def _key_region(mask: Packet | None, height: int, width: int) -> Array | None:
    if mask is None:
        return None
    from semwave.models.maskcode import block_size
    from semwave.models.segment import expand

    region: Array = expand(mask.data.astype(bool), block_size(height, width), (height, width))
    return region


def _picture(packet: Packet | None, like: Array) -> Array:
    """What the receiver shows: mid-grey when nothing came."""
    if packet is None or packet.data.shape != like.shape:
        return np.full_like(like, 128)
    return packet.data


def _quality(names: tuple[Name, ...], sent: Array, got: Array, key: Array | None) -> dict[str, Any]:
    """Metrics by name, and those of the key region as ``NAME_key``; None where there is no number."""
    from semwave.bench.metrics.table import measure_regions

    nowhere = np.zeros(sent.shape[:2], bool)
    whole, inside = measure_regions(sent, got, names, [None, nowhere if key is None else key])
    return {**whole, **{f"{name}_key": value for name, value in inside.items()}}
