"""``semwave train semantic`` as a script; all of it is in ``semwave.training.semantic``."""

from semwave.training.semantic import main

if __name__ == "__main__":
    raise SystemExit(main())
