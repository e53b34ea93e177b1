"""Video in, video out: frames from a file, prompts kept from frame to frame, frames to a file with their latency."""

import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from semwave.blocks.framing import layer_bytes
from semwave.runtime import Array, Context, FrameBlock, Frames, In, Out, Packet, Param, Result, Source, text_of

IMAGE = Frames(np.uint8, ("row", "column", 3))
BYTES = Frames(np.uint8, ("byte",))
NO_RATE = 25.0  # frames per second where nobody says


class VideoSource(Source):
    """Give the frames of a video file (whatever FFmpeg reads) as pictures; for a folder of frames, see ImageSource.

    ``max_fps`` leaves frames out. ``meta``: number, name, time_s, fps (of what is given).
    """

    path: Annotated[str, Param("video file", path=True)]
    limit: Annotated[int | None, Param("frames at most", low=1)] = None
    max_fps: Annotated[float | None, Param("frames per second at most", unit="1/s", low=0.001)] = None
    max_side: Annotated[int | None, Param("shrink frames whose longer side is longer", unit="px", low=1)] = None
    truncated: Annotated[str, Param("a file that breaks off", choices=("stop", "end"))] = "stop"

    image = Out(IMAGE)

    def start(self, ctx: Context) -> None:
        """Open the file; raises VideoError naming it where it is no video."""
        from semwave.models.video import VideoReader

        self._ctx, self._done = ctx, 0
        self._reader = VideoReader(self.path)

    def packets(self) -> Iterator[Packet]:
        """One frame a packet."""
        from semwave.models.video import VideoError

        own = self._reader.facts.fps or NO_RATE
        fps = min(own, self.max_fps or own)
        number, due, stem = 0, None, Path(self.path).stem
        try:
            for time_s, image in self._reader.frames():
                self._done += 1
                due = time_s if due is None else due
                if time_s < due - 0.5 / own:
                    self._ctx.count("frames left out")
                    continue
                due += 1.0 / fps
                meta = {"number": number, "name": f"{stem}_{number:05d}", "time_s": time_s, "fps": fps}
                yield Packet(_shrunk(image, self.max_side), meta=meta)
                number += 1
                if number == self.limit:
                    return
        except VideoError as error:
            if self.truncated == "stop" or number == 0:
                raise VideoError(f'{error} (truncated = "end" takes what is there)') from error
            self._ctx.warn(str(error))
        finally:
            self._reader.close()

    def progress(self) -> tuple[float, float] | None:
        """Frames read, of how many."""
        if not hasattr(self, "_reader"):
            return None
        facts = self._reader.facts
        most = facts.frames if self.limit is None or self.max_fps else min(self.limit, facts.frames or self.limit)
        return (self._done, most) if most else None


def _shrunk(image: Array, max_side: int | None) -> Array:
    if max_side is None or max(image.shape[:2]) <= max_side:
        return image
    from PIL import Image

    scale = max_side / max(image.shape[:2])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))


class PromptRecall(FrameBlock):
    """Give scenes that came without a prompt the last one, where it still holds: the other end of ``repeat =
    "changed"`` of the text encoder.

    A prompt whose successor is known to be lost is not used any more.
    """

    scene = In(BYTES)
    out = Out(BYTES)

    def start(self, ctx: Context) -> None:
        """Nothing has come yet."""
        from semwave.models.text.repeat import PromptMemory

        self._ctx, self._memory = ctx, PromptMemory()
        self._code: dict[str, bytes] = {}

    def work(self, scene: Packet) -> Iterator[Packet]:
        """The scene, with the prompt that holds."""
        from semwave.models.prompt import decode_prompt

        if scene.meta["status"] == "header":
            yield scene
            return
        entry, code, text = scene.meta["layers"].get("prompt"), layer_bytes(scene, "prompt"), None
        try:
            text = decode_prompt(code) if code else None
        except ValueError as error:
            self._ctx.warn(f"prompt layer of {len(code or b'')} bytes: {error}")
        if text and code:
            self._code = {text: code}
        held = self._memory.recall(text, entry)
        if text or held is None or held not in self._code:
            yield scene
            return
        self._ctx.count("prompts recalled")
        kept = self._code[held]
        told = {"codec": (entry or {}).get("codec", 0), "ok": True, "at": len(scene.data), "length": len(kept)}
        layers = {**scene.meta["layers"], "prompt": told}
        yield Packet(np.concatenate([scene.data, np.frombuffer(kept, np.uint8)]), meta={**scene.meta, "layers": layers})


class VideoSink(FrameBlock):
    """Write the frames of a link as a video (.mp4 H.264, .webm VP9, .mkv lossless) and a report beside it (.json).

    A frame that was sent and never came shows the last one again. The report has frames per second and, where ``sent``
    is connected, the latency of each frame from its leaving the source to its arrival here; with ``accounting``,
    channel uses and how many frames carried a prompt; with ``row``, the mean scores.
    """

    pairing = "any"
    heavy = True
    path: Annotated[str, Param("video file to write", path=True)] = "out/video.mp4"
    fps: Annotated[float, Param("frames per second; 0: as sent, or 25", unit="1/s", low=0.0, high=1000.0)] = 0.0

    sent = In(IMAGE, optional=True)
    image = In(IMAGE)
    accounting = In(BYTES, optional=True, doc="of the modulator, JSON")
    row = In(BYTES, optional=True, doc="JSON, one score a frame")

    def check(self) -> None:
        """The suffix must be known."""
        from semwave.models.video import codec_of

        codec_of(Path(self.path))

    def start(self, ctx: Context) -> None:
        """Make the folder; nothing has come yet."""
        from semwave.runtime.claim import Claim

        file = Path(self.path)
        file.parent.mkdir(parents=True, exist_ok=True)
        self._claim = Claim(file, file.with_name(f".{file.name}.lock"))
        self._ctx = ctx
        self._writer: Any = None  # opened with the first frame's size
        self._rate, self._next = self.fps or NO_RATE, 0
        self._last: Array | None = None
        self._left_at: dict[int, float] = {}
        self._came_at: dict[int, float] = {}
        self._told: dict[str, list[dict[str, Any]]] = {"accounting": [], "row": []}
        self.report: dict[str, Any] = {}

    def work(self, port: str, packet: Packet) -> Iterable[Packet]:
        """A frame, or what is told of one."""
        if port in self._told:
            self._told[port].append(json.loads(text_of(packet)))
        elif port == "sent":
            self._left_at[packet.meta["number"]] = time.perf_counter()
            if not self.fps and self._writer is None:
                self._rate = packet.meta.get("fps") or NO_RATE
        else:
            self._came(packet.meta["number"], packet.data)
        return ()

    def _came(self, number: int, picture: Array) -> None:
        if number < self._next:
            self._ctx.count("frames received twice or too late")
            return
        self._came_at[number] = time.perf_counter()
        if self._writer is None:
            from semwave.models.video import VideoWriter

            self._writer = VideoWriter(self.path, self._rate, picture.shape[:2])
        self._freeze(number, picture)
        self._writer.write(picture)
        self._next, self._last = number + 1, picture

    def _freeze(self, number: int, picture: Array | None) -> None:
        for _ in range(self._next, number):
            self._ctx.count("frames lost: the last one shown again")
            self._writer.write(picture if self._last is None else self._last)

    def finish(self) -> Iterable[Packet]:
        """The end of the video."""
        if self._writer is None:
            self._ctx.warn("no frame came: no video is written")
        else:
            last = max(self._left_at, default=-1) + 1
            self._freeze(last, self._last)
            self._writer.close()
        return ()

    def stop(self) -> None:
        """Let other runs write this file."""
        if hasattr(self, "_claim"):
            self._claim.release()

    def conclude(self, result: Result) -> None:
        """Write the report."""
        busy = {block.name: round(block.busy_s, 3) for block in result.blocks}
        self.report = {**self._facts(), "seconds": round(result.seconds, 3), "busy_s": busy}
        Path(self.path).with_suffix(".json").write_text(json.dumps(self.report, indent=1) + "\n", encoding="utf-8")

    def _facts(self) -> dict[str, Any]:
        came = sorted(self._came_at.values())
        begun = min(self._left_at.values(), default=came[0] if came else 0.0)
        facts: dict[str, Any] = {"sent": len(self._left_at) or None, "received": len(came), "video_fps": self._rate}
        if came and came[-1] > begun:
            facts["fps"] = round(len(came) / (came[-1] - begun), 3)
        late = [self._came_at[n] - self._left_at[n] for n in self._came_at if n in self._left_at]
        if late:
            facts["latency_s"] = {k: round(float(f(late)), 3) for k, f in (("median", np.median), ("max", np.max))}
        accounts, rows = self._told["accounting"], self._told["row"]
        if accounts:
            facts["channel_uses"] = sum(a["channel_uses"] for a in accounts)
            facts["prompts_sent"] = sum("prompt" in a["layers"] for a in accounts)
        for name in ("psnr", "psnr_key", "ssim", "lpips", "cbr_total"):
            values = [r[name] for r in rows if r.get(name) is not None]
            if values:
                facts[name] = round(float(np.mean(values)), 4)
        return facts

    def summary(self) -> str:
        """What people want to know of the run."""
        facts = getattr(self, "report", None) or {}
        if not facts.get("received"):
            return "no frame came"
        sent = f" of {facts['sent']}" if facts["sent"] else ""
        text = f"{facts['received']}{sent} frames received, {facts.get('fps', 0):.2f} frames/s"
        if "latency_s" in facts:
            text += f", latency {facts['latency_s']['median']:.2f} s (median), {facts['latency_s']['max']:.2f} s (most)"
        if "prompts_sent" in facts:
            text += f"; {facts['prompts_sent']} prompts sent"
        for name, unit in (("psnr", "dB"), ("psnr_key", "dB"), ("lpips", "")):
            if name in facts:
                text += f"; {name} {facts[name]:.3f}{' ' + unit if unit else ''}"
        return f"{text}\nwritten to {self.path}"
