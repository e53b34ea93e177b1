"""The commands of ``semwave``, one module each; adding a module here adds a command.

A command module has a docstring (its first line is what ``semwave --help`` shows), ``ORDER`` (its place in that list),
``arguments(parser)`` and ``execute(args) -> exit code``. All of them are imported to build the help, so they import
the runtime and everything heavy inside functions. Modules whose name begins with ``_`` are shared helpers.
"""
