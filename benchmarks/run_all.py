"""Run the benchmarks one after another: JSON lines on standard output, what runs on standard error.

    python benchmarks/run_all.py [--quick] [--data DIR] [NAME ...]

Those that judge models need pictures: they run where ``--data`` names the folder that their model cards describe.
"""

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PARTS = ("fec_", "gnuradio_", "run_all", "_")  # run by others, or helpers
NEED_DATA = ("segmenter", "captioner", "prompt_code", "decoder_fill")


def names(data: str | None) -> list[str]:
    """Benchmarks that can run here."""
    found = sorted(f.stem for f in HERE.glob("*.py") if not f.stem.startswith(PARTS))
    return [n for n in found if data or n not in NEED_DATA]


def main() -> int:
    """Exit status 1 when any of them failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="*", help="which; all by default")
    parser.add_argument("--quick", action="store_true", help="short versions")
    parser.add_argument("--data", help="folder of pictures for the benchmarks of models")
    args = parser.parse_args()
    failed = []
    for name in args.name or names(args.data):
        print(f"-- {name}", file=sys.stderr, flush=True)
        command = [sys.executable, str(HERE / f"{name}.py")]
        if name in NEED_DATA:
            command += ["--data", str(args.data)]
        elif args.quick:
            command += ["--quick"]
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
