"""Train one of the shipped models, or go on from a checkpoint.

  semwave train semantic --data DIR --minutes 60
  semwave train semantic --data DIR --resume checkpoints/semantic

'semwave train MODEL --help' has the options of a training."""

import argparse
from importlib import import_module

ORDER = 55

TRAININGS = {
    "captioner": "semwave.training.captioner",
    "prior": "semwave.training.prior",
    "decoder": "semwave.training.decoder",
    "semantic": "semwave.training.semantic",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the model; what follows its name is the training's own."""
    parser.add_argument("model", choices=sorted(TRAININGS), metavar="MODEL", help=", ".join(sorted(TRAININGS)))
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="...", help="options of the training")


def execute(args: argparse.Namespace) -> int:
    """Hand the options over."""
    try:
        return int(import_module(TRAININGS[args.model]).main(args.rest) or 0)
    except SystemExit as stop:  # argparse: 0 after --help, 2 after an error
        return stop.code if isinstance(stop.code, int) else 2
