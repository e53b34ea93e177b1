"""Draw a flowgraph or a block: Mermaid text, or with -o an SVG or PNG picture."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from semwave.commands import _options

if TYPE_CHECKING:
    from semwave.commands._diagram import Diagram

ORDER = 30
SUFFIXES = (".svg", ".png", ".mmd")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("what", metavar="FILE|BLOCK", help="a flowgraph file, or the name of a block class")
    parser.add_argument(
        "-o", "--output", type=_output, metavar="OUT", help="write to this file: .svg, .png or .mmd (Mermaid text)"
    )
    _options.add_overrides(parser)


def execute(args: argparse.Namespace) -> int:
    """Print or draw."""
    from semwave.commands._mermaid import mermaid

    diagram = _diagram(args.what, args.overrides)
    if args.output is None:
        print(mermaid(diagram), end="")
    elif args.output.suffix == ".mmd":
        args.output.write_text(mermaid(diagram), encoding="utf-8")
    else:
        from semwave.commands._picture import draw

        args.output.write_bytes(draw(diagram, args.output.suffix.removeprefix(".")))
    return 0


def _output(text: str) -> Path:
    path = Path(text)
    if path.suffix not in SUFFIXES:
        raise argparse.ArgumentTypeError(f"must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}, not {text!r}")
    return path


def _diagram(what: str, overrides: list[str]) -> "Diagram":
    """The drawing of a file or, where there is no such file, of the block class of that name."""
    from semwave.commands import _catalog, _diagram
    from semwave.runtime.errors import ConnectError, GraphFileError, ParameterError
    from semwave.runtime.graphfile import find, load
    from semwave.runtime.registry import names

    if what in names() and not Path(what).is_file():
        if overrides:
            raise ParameterError(f"--set is for flowgraph files, and {what} is a block")
        return _diagram.of_block(what, _catalog.find(what))
    try:
        find(what)
    except GraphFileError as error:
        if Path(what).suffix or Path(what).exists():
            raise
        try:
            _catalog.find(what)
        except ConnectError as also:
            raise GraphFileError(f"{error}; and {also}") from None
    return _diagram.of_graph(load(what, overrides))
