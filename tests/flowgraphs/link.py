"""Helpers for the tests of the image link: small pictures, a light configuration of the shipped flowgraph."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from semwave.runtime import Flowgraph, Result
from semwave.runtime.graphfile import load

FILE = Path(__file__).resolve().parents[2] / "flowgraphs" / "image_link.toml"
LIGHT = (
    "segmenter.model=spectral",
    "text_encoder.caption=off",
    "decoder.model=classical",
    "semantic_encoder.codec=webp",
    "semantic_encoder.cbr=0.1",
    "semantic_encoder.key_cbr=1000",
    "baseline_encoder.codec=webp",
)
JSCC = (
    "semantic_encoder.codec=jscc",
    "segmenter.model=spectral",
    "text_encoder.caption=off",
    "decoder.model=classical",
    "decoder.key_model=linear",
    "semantic_encoder.model=linear",
    "semantic_encoder.cbr=0.15",
    "semantic_encoder.key_cbr=1000",
    "semantic_encoder.mcs=9",
    "framer.key_mcs=9",
    "baseline_encoder.codec=webp",
)
"""Settings of the link with joint source-channel coded symbols; its linear codec has hundreds of bytes beside them."""


def make_pictures(folder: Path, count: int = 2) -> Path:
    """Smooth pictures with an object in the middle."""
    from semwave.models.pictures import save_png

    folder.mkdir(parents=True, exist_ok=True)
    for k in range(count):
        rows, columns = np.mgrid[: 96 + 8 * k, :128]
        inside = (rows - 48) ** 2 + (columns - 40 - 20 * k) ** 2 < 500
        image = np.stack([rows + 60, columns + 40, np.full_like(rows, 120)], axis=2)
        image[inside] = np.stack([240 - rows, 20 + (columns * 7) % 60, rows * 0 + 30], axis=2)[inside]
        save_png(folder / f"{k}.png", image.clip(0, 255).astype(np.uint8))
    return folder


def graph(pictures: Path, out: Path, *more: str, seed: int | None = None) -> Flowgraph:
    """The shipped image link on ``pictures``."""
    return load(FILE, [*LIGHT, f"source.path={pictures}", f"sink.path={out}", *more], seed)


def jscc_graph(pictures: Path, out: Path, *more: str) -> Flowgraph:
    """The shipped link with the key region in symbols."""
    return load(FILE, [*JSCC, f"source.path={pictures}", f"sink.path={out}", *more])


def run(pictures: Path, out: Path, *more: str, seed: int | None = None, **options: Any) -> Result:
    """Run it."""
    return graph(pictures, out, *more, seed=seed).run(timeout_s=100, **options)


def rows(out: Path) -> list[dict[str, Any]]:
    """The rows of its report."""
    found: list[dict[str, Any]] = json.loads((out / "report.json").read_text())["pictures"]
    return found


def files(out: Path) -> dict[str, bytes]:
    """Everything it wrote that must not depend on time."""
    names = ("reconstruction.png", "provenance.png", "conventional.png", "prompt.txt", "mask.png")
    found = {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.name in names}
    found["samples"] = (out / "transmitted.sigmf-data").read_bytes()
    return found
