"""Types of options that trainings share; nothing heavy is imported here."""

import argparse
import math
from pathlib import Path

INTERRUPTED = 130  # exit code after Ctrl-C


def folder(text: str) -> Path:
    """A folder that exists."""
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {text}")
    return Path(text)


def minutes(text: str) -> float:
    """A time above 0."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 < found < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number of minutes above 0, not {text!r}")
    return found


def archives(text: str) -> Path:
    """A folder with the archives of photographs and captions in clean/ and research/."""
    found = folder(text)
    missing = [f"{part}/" for part in ("clean", "research") if not (found / part).is_dir()]
    if missing:
        raise argparse.ArgumentTypeError(
            f"{text} must be the folder that has clean/ and research/; no {missing[0]} there"
        )
    return found


def photographs(text: str) -> Path:
    """A folder with clean/ and research/, or with pictures."""
    found = folder(text)
    loose = any(p.suffix.lower() in (".jpg", ".png", ".webp") for p in found.iterdir())
    if not loose and not any((found / part).is_dir() for part in ("clean", "research")):
        raise argparse.ArgumentTypeError(f"{text} has neither pictures (jpg, png, webp) nor clean/ and research/")
    return found
