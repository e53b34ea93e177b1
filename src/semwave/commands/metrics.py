"""How alike two pictures are: PSNR, SSIM, MS-SSIM, VSI, LPIPS, DISTS; objects added or lost.

  semwave metrics a.png b.png                        one pair
  semwave metrics originals/ received/               two folders, files matched by name (suffixes may differ)
  semwave metrics a.png b.png --mask m.png           white pixels count, black ones do not
  semwave metrics a.png b.png --objects --overlay o.png   what was added and what was lost, and where
  semwave metrics originals/ received/ --set-distance     Fréchet and kernel distance of the two sets

DISTS needs weights that 'semwave models fetch metrics' gets once; without them its column is left out."""

import argparse
from pathlib import Path

from semwave.commands import _options

ORDER = 38


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("ref", type=Path, metavar="REF", help="the original: a picture or a folder")
    parser.add_argument("test", type=Path, metavar="TEST", help="what is judged: a picture or a folder")
    parser.add_argument("--mask", type=Path, metavar="M", help="where to look: a picture, or a folder when REF is one")
    parser.add_argument(
        "--metrics", metavar="NAMES", help="comma-separated, of psnr, ssim, ms_ssim, vsi, lpips, dists (all)"
    )
    parser.add_argument("--objects", action="store_true", help="also say which objects were added or lost")
    parser.add_argument(
        "--detector",
        default="tagger",
        metavar="NAME",
        help="who looks: tagger (shipped), hub:ID or hub:FOLDER (DETR family)",
    )
    parser.add_argument("--overlay", type=Path, metavar="FILE", help="draw them into this picture (or folder)")
    parser.add_argument(
        "--set-distance", action="store_true", help="distance of the two sets of pictures, folders only"
    )
    _options.add_json(parser)


def execute(args: argparse.Namespace) -> int:
    """Measure and print."""
    from semwave.commands import _metrics

    return _metrics.run(args)
