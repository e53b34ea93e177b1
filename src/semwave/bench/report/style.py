"""Colours, dashes and markers that the page and the PNG figures share.

The colours are Okabe and Ito's, which stay apart for the common kinds of colour blindness; dark backgrounds get
lighter ones. Dashes and markers tell curves apart without any colour.
"""

from semwave.bench.report.script import part

LIGHT = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b07d00", "#3a3a3a", "#56b4e9", "#8c6bb1")
DARK = ("#4aa8e8", "#ff8a3d", "#2fd0a3", "#e79ac6", "#e6b422", "#d6d6d6", "#8fd0f5", "#b79adf")
DASHES = ("", "7 3", "2 3", "9 3 2 3", "", "7 3", "2 3", "9 3 2 3")
MARKERS = ("circle", "square", "triangle", "diamond", "triangle", "circle", "square", "diamond")
PROVENANCE = {"received": (0, 158, 115), "inferred": (86, 180, 233), "invented": (213, 94, 0)}


def css() -> str:
    """The style sheet with the curves' colours as variables --c0, --c1 ..."""
    light, dark = (" ".join(f"--c{i}: {c};" for i, c in enumerate(colours)) for colours in (LIGHT, DARK))
    return part("style.css").replace("@@light@@", light).replace("@@dark@@", dark)
