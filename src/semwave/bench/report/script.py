"""The page's own script: charts with a value under the pointer, the gallery's sliders, tables that sort.

Its parts lie in ``page/`` as they are; a report has them all in one script element, in this order.
"""

from importlib.resources import files

PARTS = ("base", "charts", "quality", "links", "gallery", "tables", "start")


def part(name: str) -> str:
    """A file of the page."""
    return (files("semwave.bench.report") / "page" / name).read_text(encoding="utf-8")


def script() -> str:
    """The script of a page."""
    return "\n".join(part(f"{name}.js") for name in PARTS)
