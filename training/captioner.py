"""The same as `semwave train captioner`: see semwave.training.captioner."""

from semwave.training.captioner import main

if __name__ == "__main__":
    raise SystemExit(main())
