"""Finds the commands, parses the command line, and turns whatever goes wrong into one message and an exit code.

Exit codes: 0 done, 1 an error, 2 a command line that cannot be read, 130 stopped by Ctrl-C.
"""

import argparse
import contextlib
import difflib
import os
import pkgutil
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import semwave
from semwave import commands
from semwave.commands._interrupts import INTERRUPTED

USAGE_ERROR, BROKEN_PIPE = 2, 141

EXAMPLES = """\
examples:
  semwave check graph.toml                     what travels on every edge; nothing runs
  semwave run graph.toml --set snr_db=6        run it with another parameter
  semwave show graph.toml -o graph.svg         draw it
  semwave blocks Head                          what a block does, takes and gives
  semwave doctor                               what is installed, and what is missing

'semwave COMMAND --help' has the options of a command."""


def run(argv: Sequence[str]) -> int:
    """Run one command line (without the program's name) and give back the exit code."""
    code = 0
    try:
        try:
            args = parse(argv)
        except SystemExit as stop:  # argparse: 0 after --help and --version, 2 after an error
            code = USAGE_ERROR if stop.code is None else int(stop.code)
        else:
            code = _execute(args)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever read our output has seen enough (semwave blocks | head)
        _drop_output()
        return BROKEN_PIPE
    except OSError as error:  # the disk that stdout goes to is full
        _drop_output()
        if code == 0:
            from semwave.commands._failure import report

            report(error)
        return code or 1


def _execute(args: argparse.Namespace) -> int:
    from semwave.commands._failure import report

    try:
        return int(args.execute(args))
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        report(KeyboardInterrupt("stopped by Ctrl-C"), json=getattr(args, "json", False))
        return INTERRUPTED
    except Exception as error:
        report(error, debug=args.debug, json=getattr(args, "json", False))
        return 1


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The parsed command line; ``execute`` in it is the function to call. Exits as argparse does."""
    found = modules()
    parser = argparse.ArgumentParser(
        prog="semwave",
        description="Flowgraphs for generative semantic image communication: check, run, draw.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"semwave {semwave.__version__}")
    sub = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for name, module in found.items():
        _add(sub, name, module)
    if not argv:
        parser.print_help(sys.stderr)
        raise SystemExit(USAGE_ERROR)
    if not argv[0].startswith("-") and argv[0] not in found:
        close = difflib.get_close_matches(argv[0], found, 1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        parser.error(f"no command {argv[0]!r}; there are {', '.join(found)}{hint}")
    return parser.parse_args(argv)


def modules() -> dict[str, Any]:
    """Every command module by the command's name, in the order of the help."""
    names = [m.name for m in pkgutil.iter_modules(commands.__path__) if not m.name.startswith("_")]
    found = {name: import_module(f"{commands.__name__}.{name}") for name in names}
    return dict(sorted(found.items(), key=lambda item: (item[1].ORDER, item[0])))


def _add(sub: Any, name: str, module: Any) -> None:
    first, _, rest = (module.__doc__ or "").strip().partition("\n")
    parser = sub.add_parser(
        name,
        help=first.rstrip("."),
        description=f"{first}\n{rest}".strip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.arguments(parser)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser.set_defaults(execute=module.execute)


def _drop_output() -> None:
    """Send what is still to be written nowhere, so that nothing complains at exit."""
    with contextlib.suppress(OSError, ValueError):  # where stdout is not a file there is nothing to redirect
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
