"""Arguments that several commands share."""

import argparse
import math

SEED_END = 2**63


def add_file(parser: argparse.ArgumentParser) -> None:
    """FILE: a flowgraph file."""
    parser.add_argument("file", metavar="FILE", help="a flowgraph file, or the name of one that ships with semwave")


def add_overrides(parser: argparse.ArgumentParser) -> None:
    """``--set``, as often as wanted."""
    parser.add_argument(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help='another value for block.param, or for a name of [params]; where the file says "$name", '
        "the shared value changes, for all that use it; may be repeated",
    )


def add_seed(parser: argparse.ArgumentParser) -> None:
    """``--seed``."""
    parser.add_argument("--seed", type=seed, metavar="N", help="seed of every random draw, instead of the file's")


def add_json(parser: argparse.ArgumentParser, text: str = "print one JSON object and nothing else") -> None:
    """``--json``."""
    parser.add_argument("--json", action="store_true", help=text)


def seed(text: str) -> int:
    """A seed as the runtime takes it; raises ArgumentTypeError."""
    if not text.isdecimal() or int(text) >= SEED_END:
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 to 2**63 - 1, not {text!r}")
    return int(text)


def seconds(text: str) -> float:
    """A time above zero; raises ArgumentTypeError."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"must be a number of seconds above 0, not {text!r}")
    return value


# ---- parts -----------------------------------------------------------------------------------------------------------


def add_parts(parser: argparse.ArgumentParser) -> None:
    """How a graph is spread over processes."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--part", metavar="NAME", help="run one part of [place]; the others run elsewhere")
    which.add_argument("--split", action="store_true", help="run every part of [place] here, in a process of its own")
    parser.add_argument(
        "--link", dest="links", type=pair, action="append", default=[], metavar="EDGE=ADDRESS",
        help="where an edge between parts is linked, as in [links]: 'a.x > b.y=tcp://127.0.0.1:5551'",
    )  # fmt: skip
    parser.add_argument(
        "--probe", dest="probes", type=pair, action="append", default=[], metavar="PORT=ADDRESS",
        help="publish what leaves block.port, as in [probes]; 'semwave probe ADDRESS' shows it",
    )  # fmt: skip
    parser.add_argument("--allow-remote", action="store_true", help="let links and probes listen beyond this machine")
    parser.add_argument(
        "--deadline", type=seconds, default=10.0, metavar="SECONDS",
        help="a part that is not heard for so long is taken for dead (10)",
    )  # fmt: skip


def pair(text: str) -> tuple[str, str]:
    """``name=value``; raises ArgumentTypeError."""
    name, sign, value = text.partition("=")
    if not sign or not name.strip() or not value.strip():
        raise argparse.ArgumentTypeError(f"must be NAME=ADDRESS, not {text!r}")
    return name.strip(), value.strip()
