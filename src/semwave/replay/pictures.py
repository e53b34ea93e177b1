"""Scenes of semwave's own link back into pictures, with the decoder of a live run."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from semwave.replay.frame import Frame


class PictureWriter:
    """Decode scenes and write each as a folder: reconstruction, provenance, prompt, what arrived.

    The decoder is the block of a live link, given the scene packet that it would have got, so the pixels are the same.
    """

    def __init__(self, folder: Path, *, model: str = "flow", steps: int = 1, device: str = "cpu") -> None:
        from semwave.blocks.generate import GenerativeDecoder
        from semwave.runtime import Context

        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.context = folder, Context("decoder", 0, {}, {}, 8192)
        self._decoder = GenerativeDecoder(model=model, steps=steps, device=device)
        self._started = False
        self._names: set[str] = set()

    def write(self, frame: Frame) -> Path | None:
        """The folder of the picture that ``frame`` is; None where its header was lost."""
        packet = frame.source
        if packet is None or packet.meta.get("status") == "header":
            return None
        if not self._started:
            self._decoder.start(self.context)
            self._started = True
        made: dict[str, Any] = dict(self._decoder.work([packet]))
        folder = self._folder(int(packet.meta["number"]))
        self._save(folder, made)
        image = made["image"]
        (folder / "prompt.txt").write_text((image.meta.get("prompt") or "") + "\n", encoding="utf-8")
        told = {**frame.as_dict(), "prompt": image.meta.get("prompt")}
        shares = np.bincount(made["provenance"].data.reshape(-1), minlength=3) / made["provenance"].data.size
        told["provenance"] = dict(zip(("received", "inferred", "invented"), map(float, shares), strict=False))
        (folder / "frame.json").write_text(json.dumps(told, indent=1, default=str) + "\n", encoding="utf-8")
        return folder

    def _folder(self, number: int) -> Path:
        """``00``, ``01`` ...; a number that comes again gets ``00-2``."""
        name, again = f"{number:02d}", 1
        while name in self._names:
            again += 1
            name = f"{number:02d}-{again}"
        self._names.add(name)
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return folder

    def _save(self, folder: Path, made: dict[str, Any]) -> None:
        from semwave.bench.album import _tinted
        from semwave.models.pictures import save_png

        image, provenance = made["image"].data, made["provenance"].data
        save_png(folder / "reconstruction.png", image)
        save_png(folder / "provenance.png", _tinted(image, provenance))
        np.savez_compressed(folder / "provenance.npz", provenance=provenance, confidence=made["confidence"].data)
