"""Make key files for links between machines: 'keys new rx' writes rx.key and rx.key_secret.

Give the .key file to the other parts and name it in [security]; the .key_secret file stays where it is."""

import argparse
from pathlib import Path

ORDER = 60


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("what", choices=["new"], help="new: make a pair")
    parser.add_argument("name", type=_name, metavar="NAME", help="whose keys: the part's name, as a rule")
    parser.add_argument("-o", "--output", type=Path, default=Path(), metavar="DIR", help="folder for them (this one)")


def execute(args: argparse.Namespace) -> int:
    """Write the pair."""
    from semwave.runtime.keys import write_pair

    public, secret = write_pair(args.name, args.output)
    print(f"{public}  public: give it to the other parts\n{secret}  secret: keep it on its machine")
    return 0


def _name(text: str) -> str:
    if not text or any(c in text for c in "/\\\0") or text.startswith("."):
        raise argparse.ArgumentTypeError(f"must be a plain name, not {text!r}")
    return text
