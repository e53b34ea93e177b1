"""The same as `semwave train decoder`: see semwave.training.decoder."""

from semwave.training.decoder import main

if __name__ == "__main__":
    raise SystemExit(main())
