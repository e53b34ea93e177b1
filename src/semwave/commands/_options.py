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
        help="another value for block.param, or for a name of [params]; may be repeated",
    )


def add_seed(parser: argparse.ArgumentParser) -> None:
    """``--seed``."""
    parser.add_argument("--seed", type=seed, metavar="N", help="seed of every random draw, instead of the file's")


def add_json(parser: argparse.ArgumentParser) -> None:
    """``--json``."""
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


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
