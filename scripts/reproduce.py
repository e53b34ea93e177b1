"""Compute the sweeps behind the figures and tables of README and docs, and make them again.

    python scripts/reproduce.py [--small] [--out DIR] [--pictures DIR] [--workers N] [--images DIR] [--only NAME ...]

Each sweep has a store in DIR (out/reproduce); a run that was interrupted goes on where it was, and one that is
complete is only drawn again. Beside the stores come a report (HTML), the figures (PNG) and the tables (CSV) of each,
the pictures that the README shows, and ``index.json``: what was made, by which commands, in how many seconds.
``--images docs/images`` puts the README's pictures where it shows them. ``--small`` computes a few points of each on
one small picture. Ctrl-C ends it; the same command goes on.
"""

import argparse
import json
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LINKS = (
    "ber_qam_awgn", "ber_qam_fading", "ber_ldpc_nr", "ber_ldpc_wifi", "ber_polar_nr", "ber_conv_k7", "ber_harq",
    "ber_mimo",
)  # fmt: skip
FEW = (
    "pictures=1", "max_side=96", "seed=0", 'metrics=["psnr", "ssim"]',
    'scheme=["conventional", "semwave-no-generation"]',
)  # fmt: skip
INTERRUPTED, SMALL = 130, "recordings/images/chelsea.jpg"
WIDTH, QUALITY = 1400, 85  # of the contact sheets in the README


def few(*more: str) -> tuple[str, ...]:
    """``--set`` of what makes a sweep over pictures small."""
    return tuple(word for change in (*FEW, *more) for word in ("--set", change))


@dataclass(frozen=True)
class Job:
    """One store and what is drawn of it."""

    name: str
    sweeps: tuple[str, ...]
    title: str
    small: tuple[str, ...] = ()
    """Options of ``semwave sweep`` in the small version."""
    pictures: bool = True
    image: str = ""
    """The README's picture of it: ``scores`` side by side."""
    scores: str = ""


@dataclass(frozen=True)
class Sheet:
    """A contact sheet: the shipped photographs through a flowgraph."""

    name: str
    snr_db: float
    image: str


JOBS: tuple[Job | Sheet, ...] = (
    Job("readme", ("readme",), "Key region and whole picture over SNR", image="readme_snr.png",
        scores="psnr_key,lpips",
        small=few("snr_db=[0, 12]", "cbr=0.05", 'metrics=["psnr", "lpips", "psnr_key"]')),
    Sheet("sheet_8db", 8, "comparison_8db.jpg"),
    Sheet("sheet_1db", 1, "comparison_1db.jpg"),
    Job("links", LINKS, "Error rates beside theory and other programs", pictures=False,
        small=("--limit", "2", "--set", "stop.errors=20", "--set", "stop.max_bits=100_000")),
    Job("awgn", ("pictures_awgn",), "Pictures over a known channel", small=few("snr_db=[1, 10]", "cbr=0.05")),
    Job("channels", ("pictures_channels",), "Pictures over every kind of channel", small=few("cbr=0.05", "snr_db=9")),
    Job("rate", ("pictures_rate",), "Pictures over a fading channel, CBR", small=few("cbr=[0.05, 0.1]", "snr_db=9")),
    Job("fading", ("pictures_fading",), "Pictures over a fading channel, SNR", small=few("snr_db=[0, 12]", "cbr=0.05")),
)  # fmt: skip


# ---- commands --------------------------------------------------------------------------------------------------------


def commands(job: Job | Sheet, args: argparse.Namespace) -> list[list[str]]:
    """Arguments of ``semwave``: a run, or a sweep and its report."""
    if isinstance(job, Sheet):
        run = ["run", "flowgraphs/image_link.toml", "--set", f"snr_db={job.snr_db:g}"]
        run += ["--set", f"out={Path(args.out) / job.name}"]
        source = args.pictures or (SMALL if args.small else "")
        return [[*run, "--set", f"source.path={source}"] if source else run]
    store = Path(args.out) / f"{job.name}.sqlite"
    sweep = ["sweep", *job.sweeps, "--store", str(store)]
    if args.workers is not None:
        sweep += ["--workers", str(args.workers)]
    if args.pictures and job.pictures:
        sweep += ["--set", f"picture={args.pictures}"]
    drawn = ["--png", str(store.with_suffix("")), "--csv", str(store.with_suffix("")), "--title", job.title]
    if job.image:
        drawn += ["--row", str(Path(args.out) / job.image), "--scores", job.scores]
    return [
        [*sweep, *(job.small if args.small else ())],
        ["report", str(store), "-o", str(store.with_suffix(".html")), *drawn],
    ]


def make(job: Job | Sheet, args: argparse.Namespace) -> dict[str, Any]:
    """Run them; what came of it."""
    done: list[str] = []
    entry: dict[str, Any] = {"name": job.name, "commands": done, "ok": False, "files": [], "seconds": 0.0}
    began = time.monotonic()
    for words in commands(job, args):
        done.append(f"semwave {shlex.join(words)}")
        print(f"-- {done[-1]}", file=sys.stderr, flush=True)
        status = subprocess.run([sys.executable, "-m", "semwave", *words], check=False).returncode
        entry["seconds"] = round(time.monotonic() - began, 1)
        if status == INTERRUPTED:
            raise KeyboardInterrupt
        if status:
            return entry
    files = sorted(_made(job, Path(args.out)))
    return {**entry, "ok": True, "files": [str(p.relative_to(args.out)) for p in files]}


def _made(job: Job | Sheet, out: Path) -> Iterator[Path]:
    """The files of a job; the README's picture among them."""
    yield from (out / job.name).glob("*")
    if isinstance(job, Sheet):
        from PIL import Image

        with Image.open(out / job.name / "comparison.png") as sheet:
            size = (WIDTH, round(sheet.height * WIDTH / sheet.width))
            sheet.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(out / job.image, quality=QUALITY)
    else:
        yield out / f"{job.name}.html"
    if job.image:
        yield out / job.image


# ---- the index -------------------------------------------------------------------------------------------------------


def record(made: list[dict[str, Any]], out: Path) -> None:
    """Write index.json: this go's jobs, and those of earlier ones."""
    file = out / "index.json"
    before = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
    new = {entry["name"] for entry in made}
    order = [job.name for job in JOBS]
    entries = sorted([*(e for e in before if e["name"] not in new), *made], key=lambda e: order.index(e["name"]))
    file.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")


def parser() -> argparse.ArgumentParser:
    """The options."""
    found = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--small", action="store_true", help="a few points of each sweep")
    found.add_argument("--out", default="out/reproduce", metavar="DIR")
    found.add_argument("--pictures", metavar="DIR", help="photographs to send instead of those that ship")
    found.add_argument("--workers", type=int, metavar="N", help="processes (as many as cores)")
    found.add_argument("--images", metavar="DIR", help="also put the README's pictures here (not with --small)")
    found.add_argument("--only", nargs="+", choices=[j.name for j in JOBS], metavar="NAME", help="some of them")
    return found


def main() -> int:
    """Exit status 1 when any of it failed, 130 after Ctrl-C."""
    args = parser().parse_args()
    if args.images and (args.small or args.pictures):
        parser().error("--images is for the README's pictures: without --small and --pictures")
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    made: list[dict[str, Any]] = []
    try:
        for job in JOBS:
            if args.only is None or job.name in args.only:
                made.append(make(job, args))
                record(made, out)
                if args.images and job.image and made[-1]["ok"]:
                    shutil.copy(out / job.image, Path(args.images) / job.image)
    except KeyboardInterrupt:
        print("interrupted: the same command goes on from here", file=sys.stderr)
        return INTERRUPTED
    for entry in made:
        state = "ok" if entry["ok"] else "failed"
        print(f"{entry['name']}: {state}, {len(entry['files'])} files, {entry['seconds']:.0f} s")
    return not all(entry["ok"] for entry in made)


if __name__ == "__main__":
    sys.exit(main())
