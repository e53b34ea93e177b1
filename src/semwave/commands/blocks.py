"""List the blocks, or describe one: parameters, ports, an example line."""

import argparse
import shutil
import sys
import textwrap
from itertools import groupby
from typing import Any

from semwave.commands import _options

ORDER = 40


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="a block class, as written after use =")
    _options.add_json(parser)


def execute(args: argparse.Namespace) -> int:
    """List or describe."""
    from semwave.commands import _catalog
    from semwave.commands._json import emit

    if args.name:
        page = _catalog.page(args.name)
        if args.json:
            emit({"ok": True, "error": None, **page})
        else:
            print("\n".join(page_lines(page)))
        return 0
    entries = _catalog.entries()
    if args.json:
        emit({"ok": True, "error": None, "blocks": entries})
    else:
        print("\n".join(list_lines(entries)))
    return 0


def _width() -> int:
    return min(max(shutil.get_terminal_size((110, 24)).columns, 60), 140)


def _list_width() -> int:
    """Lines are cut where a person reads them, not where a program does."""
    from semwave.commands._terminal import is_terminal

    return _width() if is_terminal(sys.stdout) else 10_000


# ---- the list --------------------------------------------------------------------------------------------------------


def list_lines(entries: list[dict[str, Any]]) -> list[str]:
    """Blocks under the module they come from."""
    from semwave.commands._terminal import paint

    ordered = sorted(entries, key=lambda e: (bool(e["error"]), e["module"], e["name"]))
    rows = {e["name"]: _ports(e) for e in entries}
    name_width = max(map(len, rows), default=0)
    port_width = min(max(map(len, rows.values()), default=0), 36)
    lines: list[str] = []
    for module, group in groupby(ordered, key=lambda e: str(e["module"])):
        lines += ["", paint(module or "cannot be imported", "bold", sys.stdout)]
        for e in group:
            head = f"  {e['name']:<{name_width}}  {rows[e['name']]:<{port_width}}  "
            lines.append(_one_line(f"  {e['name']}: " if e["error"] else head, e["error"] or e["doc"]))
    return [*lines[1:], "", f"{len(entries)} blocks; 'semwave blocks NAME' describes one"]


def _ports(entry: dict[str, Any]) -> str:
    if entry["error"]:
        return ""
    return f"{', '.join(entry['inputs']) or '-'} → {', '.join(entry['outputs']) or '-'}"


def _one_line(head: str, text: str) -> str:
    from semwave.commands._terminal import shorten

    return head + shorten(text, max(_list_width() - len(head), 30))


# ---- one block -------------------------------------------------------------------------------------------------------


def page_lines(page: dict[str, Any]) -> list[str]:
    """All about one block."""
    from semwave.commands._terminal import paint, table

    kind = f"{page['kind']} block" if page["kind"] not in ("source", "block") else page["kind"]
    heavy = ", heavy (a thread of its own)" if page["heavy"] else ""
    lines = [f"{paint(page['name'], 'bold', sys.stdout)}  ({page['module']}, {kind}{heavy})", "", page["doc"]]
    for title in ("parameters", "inputs", "outputs"):
        if page[title]:
            lines += ["", paint(title, "bold", sys.stdout)]
            if title == "parameters":
                lines += [line for p in page[title] for line in _parameter_lines(p)]
            else:
                rows = [(p["name"], p["type"], _port_note(p)) for p in page[title]]
                lines += [f"  {line}" for line in table(rows)]
    return [*lines, "", paint("example", "bold", sys.stdout), f"  {page['example']}"]


def _parameter_lines(p: dict[str, Any]) -> list[str]:
    from semwave.commands._catalog import toml_value

    if p["required"]:
        default = "required"
    else:
        default = "default none" if p["default"] is None else f"default {toml_value(p['default'])}"
    facts = [p["type"], default]
    facts += [f"in {p['unit']}"] if p["unit"] else []
    facts += [f"{w} {p[k]:g}" for k, w in (("low", "at least"), ("high", "at most")) if p[k] is not None]
    facts += ["one of " + ", ".join(map(toml_value, p["choices"]))] if p["choices"] else []
    facts += ["may change while running"] if p["tunable"] else []
    text = textwrap.wrap(p["doc"], _width() - 6)
    return [f"  {p['name']}: {', '.join(facts)}", *(f"      {line}" for line in text)]


def _port_note(port: dict[str, Any]) -> str:
    return ", ".join((["optional"] if port["optional"] else []) + ([port["doc"]] if port["doc"] else []))
