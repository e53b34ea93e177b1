"""Examples of the video blocks for the jig: a small generated video."""

from pathlib import Path
from typing import Any

import numpy as np
from jig import Example, frames

from semwave.models.prompt import CODEC, encode_prompt
from semwave.runtime import Packet

ROWS, COLUMNS = np.mgrid[:36, :48]


def shot(number: int) -> Any:
    """A square that moves over a slope."""
    image = np.stack([ROWS * 4, COLUMNS * 3, 0 * ROWS + 90], axis=2).astype(np.uint8)
    image[8:20, 4 + 3 * number : 16 + 3 * number] = (230, 200, 40)
    return image


def video(folder: Path) -> dict[str, Any]:
    """Six frames in a lossless file."""
    from semwave.models.video import VideoWriter

    path = folder / "shots.mkv"
    if not path.exists():
        writer = VideoWriter(path, 10.0, (36, 48))
        for number in range(6):
            writer.write(shot(number))
        writer.close()
    return {"path": str(path), "max_fps": 5.0}


def scene(number: int, prompt: str | None, codec: int, status: str = "ok") -> Packet:
    """What the deframer gives of a scene with a mask and, or not, a prompt."""
    code = encode_prompt(prompt, 64) if prompt else b""
    layers = {"mask": {"codec": 1, "ok": True, "at": 0, "length": 3}}
    if prompt:
        layers["prompt"] = {"codec": codec, "ok": True, "at": 3, "length": len(code)}
    meta = {"status": status, "number": number, "height": 36, "width": 48, "seed": 1, "layers": layers, "report": {}}
    return Packet(np.frombuffer(b"abc" + code, np.uint8), meta=meta)


SCENES = [
    scene(0, "caption a dog", 8), scene(1, None, 8), scene(2, None, 8, "header"), scene(3, "caption a cat", 9),
    scene(4, None, 9), scene(5, "caption a bus", CODEC), scene(6, None, 0),
]  # fmt: skip
DOG, CAT, BUS = (
    np.frombuffer(b"abc" + encode_prompt(f"caption a {word}", 64), np.uint8) for word in ("dog", "cat", "bus")
)
RECALLED = [DOG, DOG, SCENES[2].data, CAT, CAT, BUS, SCENES[6].data]  # prompts of single pictures are not kept
FOUR = [Packet(shot(n), meta={"number": n, "fps": 10.0}) for n in range(4)]
SHOTS = {name: frames(*FOUR) for name in ("sent", "image")}


def written(block: Any) -> Any:
    """The frames of the file that a sink wrote."""
    from semwave.models.video import VideoReader

    reader = VideoReader(block.path)
    found = np.stack([picture for _, picture in reader.frames()])
    reader.close()
    return found


EXAMPLES = [
    Example("VideoSource", video, expect=lambda: {"image": [shot(n) for n in (0, 2, 4)]}),
    Example("PromptRecall", {}, {"scene": frames(*SCENES)}, expect=lambda: {"out": RECALLED}),
    Example("VideoSink", lambda folder: {"path": str(folder / "sink.mkv")}, SHOTS, state=written),
]
