"""Makers of small recordings, and where the captures of others may lie."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

CAPTURES = Path(__file__).resolve().parents[2].parent / "shared" / "captures"
Maker = Callable[..., Path]


@pytest.fixture
def formats() -> Path:
    """One capture written in many ways, by others; see its README."""
    folder = CAPTURES / "formats"
    if not folder.is_dir():
        pytest.skip("no folder shared/captures/formats beside the project")
    return folder


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    """A pair from an array (or bytes) and fields; gives the base name."""

    def made(
        data: Any, datatype: str = "cf32_le", name: str = "x", captures: Any = None, annotations: Any = (), **about: Any
    ) -> Path:
        fields = {"core:datatype": datatype, "core:version": "1.2.6"}
        fields |= {f"core:{key}": value for key, value in about.items()}
        rows = [{"core:sample_start": 0}] if captures is None else captures
        meta = {"global": fields, "captures": rows, "annotations": list(annotations)}
        (tmp_path / f"{name}.sigmf-meta").write_text(json.dumps(meta), encoding="utf-8")
        raw = data if isinstance(data, bytes) else np.asarray(data).tobytes()
        (tmp_path / f"{name}.sigmf-data").write_bytes(raw)
        return tmp_path / name

    return made


@pytest.fixture
def noise() -> Any:
    """Complex noise, [10000] complex64."""
    rng = np.random.default_rng(3)
    return (rng.normal(size=(10000, 2)) / 8).astype(np.float32).view(np.complex64)[:, 0]
