"""The generative decoder: from what was received of a scene to a picture, and what each pixel of it rests on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.models import fill, texture, trust
from semwave.models.describe import cell_colours, cell_textures
from semwave.models.prompt_grammar import Prompt, PromptError, parse

Array = NDArray[Any]

RECEIVED, INFERRED, INVENTED = trust.RECEIVED, trust.INFERRED, trust.INVENTED
DECODERS = ("flow", "texture", "classical")
WEIGHTS = Path(__file__).parent / "weights" / "decoder-flow"
STILL_SHARE, STILL_AT, STILL_POWER = 0.6, 0.0014, 0.4
"""Share of a generator's change over a still picture of so many bytes a pixel; falls with their power. Tuned on
development pictures for a network that is not told the detail: docs/generation.md."""


@dataclass(frozen=True, slots=True)
class Received:
    """The layers of a scene as they arrived; None for a layer that was lost or not sent."""

    shape: tuple[int, ...]
    """Height, width (and 3) of the picture, from the header."""
    key: Array | None = None
    """Decoded key pixels, uint8 [height, width, 3]; values outside the mask are not looked at."""
    mask: Array | None = None
    """Key mask, bool [height, width]; None: lost, all of ``key`` counts as key."""
    prompt: str | None = None
    """Text for the rest, in the prompt grammar or free."""
    sketch: Array | None = None
    """Smooth picture of the rest, float [height, width, 3] in [0, 1]."""
    key_ok: bool | Array = True
    """Whether the key pixels arrived, for all together or as bool [height, width]."""
    key_error: float | Array = 0.0
    """Expected root mean square error of the key pixels in [0, 1], one for all or [height, width]: a generator may
    change them by no more. 0, also where it is not known: they stay as they are."""
    still_bytes: int = 0
    """Length of the sketch's code where it is a still picture, which tells how much detail it has; 0: cosines."""


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """A picture with its honesty: every pixel says where it comes from."""

    image: Array
    """uint8 [height, width, 3]."""
    provenance: Array
    """uint8 [height, width]: 0 received, 1 inferred from sketch or near key pixels, 2 invented."""
    confidence: Array
    """float32 [height, width]: estimated probability that a pixel's root mean square error is below 0.1 of full scale;
    1 where received."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a decoder starts from: the received pixels and a smooth guess of all others."""

    picture: Array
    """float32 [height, width, 3]: key pixels where known, the classical fill elsewhere."""
    mask: Array
    """bool [height, width]: pixels received."""
    base: Array | None
    """float32 [height, width, 3] from sketch or prompt, or None."""
    reach: float
    """How far key pixels correct the base, in long sides."""
    textures: Array | None
    """[3, 3] standard deviations of luma detail that the prompt tells."""
    prompt: Prompt
    sketch: bool
    key_error: float | Array = 0.0
    still_bytes: int = 0


Inventor = Callable[[Known, int, int], Array]
"""(known, seed, steps) -> what to add to ``known.picture``, float32 [height, width, 3]."""


class GenerativeDecoder:
    """Decodes scenes one by one: a result depends on the scene, its seed and the steps, never on its neighbours."""

    def __init__(self, name: str, inventor: Inventor | None, told_detail: bool = False) -> None:
        """``told_detail``: the inventor looks at ``still_bytes``; else it has its way only in part over stills."""
        self.name = name
        self._inventor, self._told_detail = inventor, told_detail

    def __repr__(self) -> str:
        return f"GenerativeDecoder({self.name!r})"

    def decode(self, scenes: Sequence[Received], seeds: Sequence[int], steps: int = 4) -> list[Reconstruction]:
        """One reconstruction per scene; ``steps`` of the generator, 1 being its mean guess.

        Raises ValueError where a layer does not fit the scene's shape, or seeds do not match scenes in number.
        """
        if len(scenes) != len(seeds):
            raise ValueError(f"seeds must be one per scene, {len(scenes)}, not {len(seeds)}")
        if min(seeds, default=0) < 0:
            raise ValueError(f"seeds must be 0 or more, not {min(seeds)}")
        if not 1 <= steps <= 100:
            raise ValueError(f"steps must be 1 ... 100, not {steps}")
        return [self._decode(scene, seed, steps) for scene, seed in zip(scenes, seeds, strict=True)]

    def _decode(self, scene: Received, seed: int, steps: int) -> Reconstruction:
        known = gather(scene)
        added = np.zeros_like(known.picture)
        if self._inventor is not None and not known.mask.all():
            room = np.broadcast_to(np.asarray(known.key_error, np.float32), known.mask.shape)
            room = np.where(known.mask, room, np.float32(1.0))[..., None]
            share = 1.0 if self._told_detail else still_share(scene.still_bytes, known.mask.size)
            added = np.clip(np.float32(share) * self._inventor(known, seed, steps), -room, room)
        image = np.rint(np.clip(known.picture + added, 0.0, 1.0) * 255.0).astype(np.uint8)
        provenance, confidence = trust.judge(known, added, self.name)
        return Reconstruction(image, provenance, confidence)


def gather(scene: Received) -> Known:
    """Check the layers of ``scene`` against its shape and make the classical fill of them."""
    shape = _checked(scene)
    mask = np.zeros(shape, bool)
    if scene.key is not None:
        mask = (np.ones(shape, bool) if scene.mask is None else scene.mask) & scene.key_ok
    prompt = understood(scene.prompt)
    base, reach = fill.base_picture(shape, cell_colours(prompt), scene.sketch)
    key = np.zeros((*shape, 3), np.float32) if scene.key is None else scene.key.astype(np.float32) / np.float32(255.0)
    picture = fill.membrane(key, mask, base, reach)
    return Known(
        picture, mask, base, reach, cell_textures(prompt), prompt, scene.sketch is not None, scene.key_error,
        0 if scene.sketch is None else scene.still_bytes,
    )  # fmt: skip


def still_share(still_bytes: int, pixels: int) -> float:
    """Share of its change that a generator which was not told the detail of a still picture makes over it."""
    if still_bytes <= 0:
        return 1.0
    return float(min(STILL_SHARE * (still_bytes / (STILL_AT * pixels)) ** -STILL_POWER, 1.0))


def understood(text: str | None) -> Prompt:
    """The prompt that ``text`` writes; text outside the grammar counts as a caption."""
    try:
        return parse(text or "")
    except PromptError:
        return Prompt(caption=" ".join((text or "").replace(";", ",").split())[:1000])


def textured(known: Known, seed: int, steps: int) -> Array:
    """The texture that the prompt tells, in all channels alike: float32 [height, width, 3]."""
    detail = texture.synthesise(known.mask.shape, known.textures, known.prompt.edges, seed, known.picture)
    detail = np.where(known.mask, np.float32(0.0), detail)
    return np.broadcast_to(detail[..., None], known.picture.shape)


def load_decoder(
    name: str = "flow", device: str = "cpu", bits: int | None = None, adapter: str | Path | None = None
) -> GenerativeDecoder:
    """The decoder called ``name``, optionally quantised to ``bits`` (8 or 4) and with a LoRA ``adapter``.

    "classical" is the smooth fill alone, best in PSNR; "texture" adds patterns by the prompt's words, without a
    network; "flow" is the trained generator. The folder of a decoder in the format of "flow" is loaded as such;
    "hub:ID" or "hub:FOLDER" is an inpainting pipeline of diffusers.
    """
    from semwave.models.generator import hub

    name = "flow" if name == "tiny" else name  # what it was called in the first version
    extra = Path(adapter) if adapter else None
    if name in ("classical", "texture"):
        if bits is not None or extra is not None:
            raise ValueError(f"bits and adapter need a network, and the decoder {name!r} has none")
        return GenerativeDecoder(name, textured if name == "texture" else None)
    if name.startswith(hub.PREFIX):
        return GenerativeDecoder("hub", hub.HubInventor(name.removeprefix(hub.PREFIX), device, bits, extra))
    if name not in DECODERS and not Path(name).is_dir():
        raise ValueError(f"name must be one of {', '.join(DECODERS)}, a folder or hub:ID, not {name!r}")
    from semwave.models.generator.network import FlowInventor

    folder = WEIGHTS if name == "flow" else Path(name)
    inventor = FlowInventor(folder, device, bits, extra)
    return GenerativeDecoder("flow", inventor, inventor.told_detail)


def _checked(scene: Received) -> tuple[int, int]:
    height, width = (int(side) for side in scene.shape[:2])
    if min(height, width) < 1:
        raise ValueError(f"shape must be at least 1 x 1, not {scene.shape}")
    for name, array, shape, dtype in (
        ("key", scene.key, (height, width, 3), np.uint8),
        ("mask", scene.mask, (height, width), np.bool_),
        ("sketch", scene.sketch, (height, width, 3), None),
        ("key_ok", scene.key_ok, (height, width), np.bool_),
        ("key_error", scene.key_error, (height, width), None),
    ):
        if array is None or (name in ("key_ok", "key_error") and np.ndim(array) == 0):
            continue
        array = np.asarray(array)
        if array.shape != shape or (dtype is not None and array.dtype != dtype):
            kind = np.dtype(dtype).name if dtype else "float"
            raise ValueError(f"{name} must be {kind} {shape}, not {array.dtype} {array.shape}")
    if scene.still_bytes < 0:
        raise ValueError(f"still_bytes must be 0 or more, not {scene.still_bytes}")
    if not np.all(np.asarray(scene.key_error) >= 0.0):
        raise ValueError(f"key_error must be 0 or more, not {np.min(scene.key_error)}")
    return height, width
