"""The same as `semwave train prior`: see semwave.training.prior."""

from semwave.training.prior import main

if __name__ == "__main__":
    raise SystemExit(main())
