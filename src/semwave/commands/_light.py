"""The verbs of 'models' that make models smaller and adapt them: quantize, finetune, merge."""

import argparse
import logging
from pathlib import Path
from typing import Any


class Told:
    """How far the work in hand is: what a progress line asks."""

    at: tuple[float, float] | None = None

    def progress(self) -> tuple[float, float] | None:
        """How much is done, and of how much."""
        return self.at


MODEL = "flow (the shipped decoder), a folder in diffusers format, or an id of the hub"


def _declare_quantize(parser: argparse.ArgumentParser) -> None:
    from semwave.commands import _options

    parser.add_argument("model", metavar="MODEL", help=MODEL)
    parser.add_argument("--bits", type=int, choices=(8, 4), default=8, help="8 (default) or 4")
    parser.add_argument("--type", choices=("nf4", "fp4"), default="nf4", help="of 4 bits; nf4 is the better one")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="DIR", help="folder to write; must be empty")
    _options.add_json(parser)


def _quantize(args: argparse.Namespace) -> int:
    from semwave.models.light.folders import quantise_model

    found = _carried_out(args, lambda: quantise_model(args.model, args.out, args.bits, args.type), "quantising")
    if not args.json:
        from semwave.commands._terminal import size

        shares = found["shares"]
        print(
            f"{args.out}  {size(found['bytes_before'])} -> {size(found['bytes_after'])}, {found['type']}: "
            f"{100 * shares['all']:.0f} % of the weights ({100 * shares['linear']:.0f} % linear, "
            f"{100 * shares['conv']:.0f} % convolutions)"
        )
        print(f"use it:  semwave run FLOWGRAPH --set decoder.model={args.out}")
    return 0


def _declare_merge(parser: argparse.ArgumentParser) -> None:
    from semwave.commands import _options

    parser.add_argument("model", metavar="MODEL", help=f"{MODEL}; not a quantised one")
    parser.add_argument("adapter", type=Path, metavar="ADAPTER", help="folder or safetensors file of the adapter")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="DIR", help="folder to write; must be empty")
    _options.add_json(parser)


def _merge(args: argparse.Namespace) -> int:
    from semwave.models.light.folders import merge_model

    found = _carried_out(args, lambda: merge_model(args.model, args.adapter, args.out), "merging")
    if not args.json:
        from semwave.commands._terminal import size

        print(f"{args.out}  {size(found['bytes'])}")
    return 0


def _declare_finetune(parser: argparse.ArgumentParser) -> None:
    from semwave.commands import _options

    parser.add_argument("model", metavar="MODEL", help="flow (the shipped decoder) or a folder like it")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="pictures; captions: NAME.txt")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="ADAPTER", help="folder of the adapter")
    parser.add_argument("--rank", type=int, default=8, help="of the adapter (default 8)")
    parser.add_argument("--steps", type=int, default=300, help="training steps (default 300)")
    parser.add_argument("--minutes", type=float, default=60.0, help="stop after so long (default 60)")
    parser.add_argument("--bits", type=int, choices=(8, 4), help="train on the base in so many bits (QLoRA)")
    parser.add_argument("--type", choices=("nf4", "fp4"), default="nf4", help="of 4 bits")
    parser.add_argument("--resume", action="store_true", help="go on with the training in ADAPTER")
    parser.add_argument("--examples", type=int, default=96, help="scenes made of the pictures (default 96)")
    parser.add_argument("--batch", type=int, default=4, help="crops a step (default 4)")
    parser.add_argument("--rate", type=float, default=1e-3, help="learning rate (default 0.001)")
    parser.add_argument("--captions", choices=("own", "off"), default="own", help="of pictures without a text file")
    parser.add_argument("--features", type=Path, default=Path(".cache/features"), help="networks of the loss")
    parser.add_argument("--device", help="torch device; default: cuda where there is one, else cpu")
    parser.add_argument("--seed", type=int, default=7)
    _options.add_json(parser)


def _finetune(args: argparse.Namespace) -> int:
    import torch

    from semwave.models.light.finetune import Settings, finetune

    settings = Settings(
        model=args.model, rank=args.rank, steps=args.steps, minutes=args.minutes, bits=args.bits, kind=args.type,
        seed=args.seed, batch=args.batch, rate=args.rate, examples=args.examples, captioner=args.captions,
        device=args.device or ("cuda" if torch.cuda.is_available() else "cpu"),
    )  # fmt: skip
    found = _carried_out(
        args, lambda tell: finetune(settings, args.data, args.out, args.resume, tell, args.features), "", True
    )
    if not args.json:
        better = found["lpips_before"] - found["lpips_after"]
        print(
            f"{args.out}  {found['steps']} steps, {found['weights']} weights; LPIPS of {found['held_out']} held-out "
            f"scenes {found['lpips_before']:.4f} -> {found['lpips_after']:.4f}"
            + ("" if better > 0 else ": no better than without the adapter")
        )
        bits = f" --set decoder.bits={args.bits}" if args.bits else ""
        print(f"use it:  semwave run FLOWGRAPH --set decoder.adapter={args.out}{bits}")
    if found["stopped"]:
        if not args.json:
            print(f"stopped at step {found['steps']}: --resume goes on")
        return 130
    return 0


def _carried_out(args: argparse.Namespace, work: Any, note: str, tells: bool = False) -> dict[str, Any]:
    from semwave.commands._json import emit
    from semwave.commands._progress import Progress

    logging.getLogger("bitsandbytes").setLevel(
        logging.CRITICAL
    )  # it tells every user of a CPU about an optional package
    told = Told()
    with Progress(wanted=not args.json) as progress:
        progress.run, progress.note = told, note

        def tell(note: str, done: float, of: float) -> None:
            progress.note, told.at = note, (done, of)

        found: dict[str, Any] = work(tell) if tells else work()
    if args.json:
        emit({"ok": True, **found})
    return found


VERBS: dict[str, tuple[str, Any, Any]] = {
    "quantize": ("write a model with its network in 8 or 4 bits", _declare_quantize, _quantize),
    "finetune": ("train a LoRA adapter of the decoder on your pictures", _declare_finetune, _finetune),
    "merge": ("add an adapter to the weights of its model", _declare_merge, _merge),
}
