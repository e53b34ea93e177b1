"""Look at recordings, check them, convert, cut and join them.

  semwave sigmf info X                            what is in it, on one screen
  semwave sigmf spectrogram X -o x.png            a picture of it
  semwave sigmf convert X -o Y --datatype ci8     another type, rate or centre
  semwave sigmf crop X -o Y --start 1s --stop 2s  a part of it

X is a pair (either file or the base name), an archive, a collection, a WAV file, or bare samples with --datatype-in."""

import argparse

ORDER = 36


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    from semwave.commands import _sigmf_files, _sigmf_looks

    sub = parser.add_subparsers(title="verbs", metavar="VERB", dest="verb", required=True)
    for name, (help_text, declare, verb) in {**_sigmf_looks.VERBS, **_sigmf_files.VERBS}.items():
        own = sub.add_parser(name, help=help_text, description=help_text, allow_abbrev=False)
        declare(own)
        own.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        own.set_defaults(carry_out=verb)


def execute(args: argparse.Namespace) -> int:
    """Do what the verb says."""
    from semwave.commands._samples import user_errors

    return int(user_errors(args.carry_out)(args))
