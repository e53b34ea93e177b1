"""``semwave`` and ``python -m semwave``."""

import sys


def main() -> int:
    """The command line; gives back the exit code."""
    try:
        from semwave.cli import run

        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")  # a terminal that cannot show a character is no reason to fail
        return run(sys.argv[1:])
    except KeyboardInterrupt:  # while modules are still being imported
        print("semwave: stopped by Ctrl-C", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
