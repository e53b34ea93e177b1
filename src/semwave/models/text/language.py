"""The language model of the prompt codec: a gated recurrent network in whole numbers, the same on every machine.

Transmitter and receiver must find the very same probabilities. So weights are 8-bit numbers, activations are whole
numbers, the sigmoid, the tangent and the power of two are tables that lie with the weights, and every product of a
matrix is a sum of whole numbers below 2^53: it is computed in float64, where such sums are exact in any order, with or
without fused multiplication, on any processor. What leaves is a table of frequencies that sums to TOTAL.

    x = E[token],  g = W_i x + b_i,  q = W_h h + b_h
    r = s(g_r + q_r),  z = s(g_z + q_z),  n = tanh(g_n + r q_n),  h' = n + z (h - n)
    frequencies ~ 2^(E P h' + c)
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.models.text import tokens

Array = NDArray[Any]

WEIGHTS = Path(__file__).resolve().parents[1] / "weights" / "prompt-lm"
TOTAL = 1 << 20
ONE = 1 << 14  # of activations
GATE = 1 << 9  # steps of the tables' argument
REACH = 8  # largest argument of the tables
OCTAVE = 1 << 10  # steps of a factor of two in scores
_SHIFT = 30  # of the scales' fixed point


class PromptModel:
    """Frequencies of what comes next in a prompt's text."""

    def __init__(self, tensors: dict[str, Array], words: list[str]) -> None:
        self.words = dict(enumerate(words, tokens.FIRST_WORD))
        self.numbers = {word: number for number, word in self.words.items()}
        self.size = tokens.FIRST_WORD + len(words)
        self._exact = {k: tensors[k].astype(np.float64) for k in ("embedding", "input", "hidden", "project")}
        self._t = {k: v.astype(np.int64) for k, v in tensors.items()}
        self.letters = tensors["letters"].astype(np.int64)  # [28, 28] frequencies of a letter after another
        if self._t["embedding"].shape[0] != self.size:
            raise ValueError(f"embedding must have {self.size} rows, not {self._t['embedding'].shape[0]}")

    def begin(self) -> Array:
        """State before the first token: int64 [hidden]."""
        return self.push(np.zeros(self._t["hidden"].shape[1], np.int64), tokens.END)

    def push(self, state: Array, token: int) -> Array:
        """State after ``token``."""
        t = self._t
        x = _scaled(t["embedding"][token], t["embedding_scale"][token])
        g = _scaled(_product(self._exact["input"], x), t["input_scale"]) + t["input_bias"]
        q = _scaled(_product(self._exact["hidden"], state), t["hidden_scale"]) + t["hidden_bias"]
        (gr, gz, gn), (qr, qz, qn) = np.split(g, 3), np.split(q, 3)
        r, z = self._look("sigmoid", gr + qr), self._look("sigmoid", gz + qz)
        n = self._look("tanh", gn + ((r * qn) >> 14))
        out: Array = n + ((z * (state - n)) >> 14)
        return out

    def frequencies(self, state: Array) -> Array:
        """Positive int64 [size] that sum to TOTAL."""
        t = self._t
        seen = _scaled(_product(self._exact["project"], state), t["project_scale"])
        scores = _scaled(_product(self._exact["embedding"], seen), t["score_scale"]) + t["score_bias"]
        below = scores.max() - scores
        weights = t["power"][-below % OCTAVE] >> np.minimum(-(-below // OCTAVE), 62)
        return fitted(weights)

    def _look(self, name: str, argument: Array) -> Array:
        index = np.clip((argument * GATE) >> 14, -REACH * GATE, REACH * GATE - 1) + REACH * GATE
        found: Array = self._t[name][index]
        return found


def fitted(weights: Array, total: int = TOTAL) -> Array:
    """Whole weights as positive frequencies that sum to ``total``; what is left over goes to the largest."""
    weights = weights.astype(np.int64)
    out: Array = weights * (total - len(weights)) // max(int(weights.sum()), 1) + 1
    out[int(weights.argmax())] += total - int(out.sum())
    return out


def _product(matrix: Array, vector: Array) -> Array:
    """Exact product of whole numbers: float64 holds every partial sum below 2^53."""
    out: Array = (matrix @ vector.astype(np.float64)).astype(np.int64)
    return out


def _scaled(values: Array, scale: Array) -> Array:
    """``values`` times a fixed-point scale, rounded down."""
    out: Array = (values * scale) >> _SHIFT
    return out


def quantised(floats: dict[str, Array]) -> dict[str, Array]:
    """Whole-number tensors from those of the trained network.

    ``floats`` holds embedding [v, e], input [3 h, e], hidden [3 h, h], project [e, h], their biases input_bias,
    hidden_bias [3 h], score_bias [v], and letters [28, 28].
    """
    out: dict[str, Array] = {"letters": np.maximum(np.rint(floats["letters"]), 1).astype(np.uint16)}
    for name in ("embedding", "input", "hidden", "project"):
        step = np.maximum(np.abs(floats[name]).max(axis=1), 1e-6) / 127.0
        out[name] = np.rint(floats[name] / step[:, None]).astype(np.int8)
        # the embedding's rows are inputs of their own: they are brought to ONE; the rest keeps its input's unit
        unit = ONE if name == "embedding" else 1
        out[f"{name}_scale"] = np.rint(step * unit * (1 << _SHIFT)).astype(np.int64)
    steps = np.abs(floats["embedding"]).max(axis=1).clip(1e-6) / 127.0
    out["score_scale"] = np.rint(steps * OCTAVE / ONE / np.log(2.0) * (1 << _SHIFT)).astype(np.int64)
    out["score_bias"] = np.rint(floats["score_bias"] * OCTAVE / np.log(2.0)).astype(np.int32)
    for name in ("input_bias", "hidden_bias"):
        out[name] = np.rint(floats[name] * ONE).astype(np.int32)
    argument = (np.arange(-REACH * GATE, REACH * GATE) + 0.5) / GATE
    out["sigmoid"] = np.rint(ONE / (1.0 + np.exp(-argument))).astype(np.int16)
    out["tanh"] = np.rint(ONE * np.tanh(argument)).astype(np.int16)
    out["power"] = np.rint(2.0 ** (np.arange(OCTAVE) / OCTAVE) * (1 << 24)).astype(np.int32)
    return out


@cache
def load(folder: Path = WEIGHTS) -> PromptModel:
    """The shipped model. Raises FileNotFoundError where ``folder`` lacks it."""
    from safetensors.numpy import load_file

    facts = json.loads((folder / "prompt-lm.json").read_text(encoding="utf-8"))
    return PromptModel(load_file(folder / "model.safetensors"), facts["words"])
