"""Run mypy over the package and fail when it checked fewer files than there are.

With the mapped layout mypy finds the sources through the links in typings/; where those are missing (a checkout that
turned links into text) it would check next to nothing and call that a success.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOTS = ("src/semwave", "blocks", "modulation", "flowgraphs")


def main() -> int:
    """Exit status: mypy's own, or 1 when files were left out."""
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run([sys.executable, "-m", "mypy"], cwd=root, capture_output=True, text=True, check=False)
    print(done.stdout, end="")
    print(done.stderr, end="", file=sys.stderr)
    if done.returncode:
        return done.returncode
    checked = int((re.search(r"(\d+) source file", done.stdout) or ["", "0"])[1])
    wanted = sum(1 for top in ROOTS for _ in (root / top).rglob("*.py"))
    if checked < wanted:
        print(f"mypy checked {checked} files of {wanted}: are the links in typings/semwave whole?", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
