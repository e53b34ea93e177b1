"""Channel coding throughput, one JSON line a case.

python benchmarks/fec.py [--quick] [WORD ...]

Every ``fec_*.py`` beside this file lists its cases in ``CASES``: functions that take ``quick`` and print with
``_report.emit``. Words choose cases whose function name has one of them. "Mbit/s" are information bits.
"""

import argparse
import importlib
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short measurements, slow peers once")
    parser.add_argument("words", nargs="*", help="parts of case names, for example ldpc or viterbi")
    chosen = parser.parse_args()
    for file in sorted(Path(__file__).parent.glob("fec_*.py")):
        for case in importlib.import_module(file.stem).CASES:
            name = f"{file.stem}.{case.__name__}"
            if not chosen.words or any(word in name for word in chosen.words):
                case(chosen.quick)


if __name__ == "__main__":
    main()
