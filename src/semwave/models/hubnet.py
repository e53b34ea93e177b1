"""Whether the Hugging Face hub can be reached, asked once and shortly: its own client tries for most of a minute."""

import os
import time
from importlib import import_module
from pathlib import Path
from typing import Any

PATIENCE_S = 3.0
AGAIN_S = 60.0  # an answer is believed for so long

_asked: dict[str, tuple[float, bool]] = {}


def cache_only(name: str) -> bool:
    """Whether model ``name`` can come from this machine alone: it is a folder, HF_HUB_OFFLINE is set, or no hub
    answers. To be given as ``local_files_only``.
    """
    if Path(name).is_dir() or os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        return True
    return not reachable()


def reachable() -> bool:
    """Whether the hub (HF_ENDPOINT where that is set) answers within `PATIENCE_S`, whatever it says."""
    from huggingface_hub import constants

    endpoint = constants.ENDPOINT
    asked_at, answer = _asked.get(endpoint, (-AGAIN_S, False))
    if time.monotonic() - asked_at < AGAIN_S:
        return answer
    _asked[endpoint] = time.monotonic(), _answers(endpoint)
    return _asked[endpoint][1]


def _answers(endpoint: str) -> bool:
    hub: Any = import_module("huggingface_hub.utils")
    try:
        hub.get_session().head(endpoint, timeout=PATIENCE_S)
    except Exception:  # its kind depends on the client beneath: requests, httpx
        return False
    return True
