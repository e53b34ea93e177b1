"""Compute the sweeps behind the figures and tables of README and docs, and make them again.

    python scripts/reproduce.py [--small] [--out DIR] [--pictures DIR] [--workers N] [--only NAME ...]

Each sweep has a store in DIR (out/reproduce); a run that was interrupted goes on where it was, and one that is
complete is only drawn again. Beside the stores come a report (HTML), the figures (PNG) and the tables (CSV) of each,
and ``index.json``: what was made, by which commands. ``--small`` computes a few points of each on one small picture.
"""

import argparse
import json
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LINKS = ("ber_qam_awgn", "ber_qam_fading", "ber_ldpc_nr", "ber_ldpc_wifi", "ber_polar_nr", "ber_conv_k7")
FEW = (
    "pictures=1", "max_side=96", "seed=0", 'metrics=["psnr", "ssim"]',
    'scheme=["conventional", "semwave-no-generation"]',
)  # fmt: skip


def few(*more: str) -> tuple[str, ...]:
    """``--set`` of what makes a sweep over pictures small."""
    return tuple(word for change in (*FEW, *more) for word in ("--set", change))


@dataclass(frozen=True)
class Job:
    """One store and what is drawn of it."""

    name: str
    sweeps: tuple[str, ...]
    title: str
    small: tuple[str, ...] = field(default=())
    """Options of ``semwave sweep`` in the small version."""
    pictures: bool = True


JOBS = (
    Job("links", LINKS, "Error rates beside theory and other programs", pictures=False,
        small=("--limit", "2", "--set", "stop.errors=20", "--set", "stop.max_bits=100_000")),
    Job("fading", ("pictures_fading",), "Pictures over a fading channel, SNR", small=few("snr_db=[0, 12]", "cbr=0.05")),
    Job("rate", ("pictures_rate",), "Pictures over a fading channel, CBR", small=few("cbr=[0.05, 0.1]", "snr_db=9")),
    Job("channels", ("pictures_channels",), "Pictures over every kind of channel", small=few("cbr=0.05", "snr_db=9")),
    Job("awgn", ("pictures_awgn",), "Pictures over a known channel", small=few("snr_db=[1, 10]", "cbr=0.05")),
)  # fmt: skip


def commands(job: Job, args: argparse.Namespace) -> list[list[str]]:
    """The sweep, then the report."""
    store = Path(args.out) / f"{job.name}.sqlite"
    sweep = ["sweep", *job.sweeps, "--store", str(store)]
    if args.workers is not None:
        sweep += ["--workers", str(args.workers)]
    if args.pictures and job.pictures:
        sweep += ["--set", f"picture={args.pictures}"]
    drawn = ["--png", str(store.with_suffix("")), "--csv", str(store.with_suffix("")), "--title", job.title]
    return [
        [*sweep, *(job.small if args.small else ())],
        ["report", str(store), "-o", str(store.with_suffix(".html")), *drawn],
    ]


def make(job: Job, args: argparse.Namespace) -> dict[str, Any]:
    """Run both; what came of it."""
    done: list[str] = []
    for words in commands(job, args):
        done.append(f"semwave {shlex.join(words)}")
        print(f"-- {done[-1]}", file=sys.stderr, flush=True)
        if subprocess.run([sys.executable, "-m", "semwave", *words], check=False).returncode:
            return {"name": job.name, "title": job.title, "commands": done, "ok": False, "files": []}
    made = [*sorted((Path(args.out) / job.name).glob("*")), Path(args.out) / f"{job.name}.html"]
    files = [str(p.relative_to(args.out)) for p in made]
    return {"name": job.name, "title": job.title, "commands": done, "ok": True, "files": files}


def main() -> int:
    """Exit status 1 when any of it failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="a few points of each sweep")
    parser.add_argument("--out", default="out/reproduce", metavar="DIR")
    parser.add_argument("--pictures", metavar="DIR", help="photographs to send instead of those that ship")
    parser.add_argument("--workers", type=int, metavar="N", help="processes (as many as cores)")
    parser.add_argument("--only", nargs="+", choices=[j.name for j in JOBS], metavar="NAME", help="some of the sweeps")
    args = parser.parse_args()
    Path(args.out).mkdir(parents=True, exist_ok=True)
    made = [make(job, args) for job in JOBS if args.only is None or job.name in args.only]
    (Path(args.out) / "index.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    for entry in made:
        print(f"{entry['name']}: {'ok' if entry['ok'] else 'failed'}, {len(entry['files'])} files")
    return not all(entry["ok"] for entry in made)


if __name__ == "__main__":
    sys.exit(main())
