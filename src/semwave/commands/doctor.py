"""Look at what is installed: packages, device, caches, models; say what is missing.

Ends with exit code 0 when all required packages are there, 1 when not. Nothing is fetched unless --online is given."""

import argparse
import os
import re
import sys
import urllib.error
import urllib.request
from importlib.resources import files
from pathlib import Path
from typing import Any

from semwave.commands import _options

ORDER = 50
HUB = "https://huggingface.co"
HUB_TIMEOUT_S = 5.0
ELSEWHERE = re.compile(r"[,;.][^,;.]*\babove\b[^,;.]*\.?")  # points to other lines of the card, which are not quoted
ABOUT = re.compile(r"licen[cs]es?", re.IGNORECASE)
NAMED = re.compile(r"Apache-|MIT\b|BSD-|CC[ -]BY|CC0|OpenRAIL", re.IGNORECASE)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    _options.add_json(parser)
    parser.add_argument("--online", action="store_true", help="also try to reach the model hub (HF_ENDPOINT)")


def execute(args: argparse.Namespace) -> int:
    """Look and print."""
    from semwave.commands._json import emit

    found = examine(online=args.online)
    if args.json:
        emit(found)
    else:
        print("\n".join(lines(found)))
    return 0 if found["ok"] else 1


def examine(*, online: bool = False) -> dict[str, Any]:
    """Everything the doctor looks at; ``error`` names what is required and not there."""
    import semwave
    from semwave.commands import _machine, _packages

    packages = _packages.packages()
    bad = [f"{p['name']} ({p['state']})" for p in packages if p["state"] != "ok"]
    if _packages.wanted() is None:
        bad = ["semwave itself is not installed (pip install -e .), so what it requires is not known"]
    return {
        "ok": not bad,
        "error": ", ".join(bad) or None,
        "semwave": semwave.__version__,
        "machine": _machine.machine(),
        "packages": packages,
        "device": _machine.device(),
        "numba_cache": _machine.numba_cache(),
        "peers": _packages.peers(),
        "models": models(Path(str(files("semwave"))) / "models" / "weights"),
        "fetched": fetched(),
        "hub": hub() if online else None,
    }


def fetched() -> list[dict[str, Any]]:
    """Weights that do not ship: name, path, what is wrong with them (None: nothing), what to do about it."""
    try:
        from semwave.bench.weights import FETCH, VGG_FILE, cache_folder, missing
    except ImportError:  # torch is not there, which the list of packages says
        return []
    return [{"name": "DISTS", "path": str(cache_folder() / VGG_FILE), "problem": missing(), "advice": FETCH}]


def models(folder: Path) -> list[dict[str, Any]]:
    """The models in ``folder``: name, bytes, licence as their card has it."""
    found = sorted(p for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []
    return [
        {"name": p.name, "bytes": sum(f.stat().st_size for f in p.rglob("*") if f.is_file()), "licence": _licence(p)}
        for p in found
    ]


def _licence(folder: Path) -> str | None:
    """The line of the model's card that says most about its licence; headings and tables (of the data) say little."""
    cards = sorted(p for p in folder.glob("*.md") if p.is_file())
    text = [line for card in cards for line in card.read_text(encoding="utf-8", errors="replace").splitlines()]
    lines = [line.replace("**", "").strip(" #*-") for line in text if not line.lstrip().startswith("|")]
    said = [line for line in lines if ABOUT.search(line) and not ABOUT.fullmatch(line)]
    begun = [line for line in said if ABOUT.match(line)]
    named = [line for line in said if NAMED.search(line)]
    best = next(iter([*begun, *named, *said]), None)
    return None if best is None else ELSEWHERE.sub("; see its card", best)


def hub() -> dict[str, Any]:
    """Whether the model hub answers."""
    address = os.environ.get("HF_ENDPOINT") or HUB
    request = urllib.request.Request(address, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=HUB_TIMEOUT_S):
            return {"address": address, "reached": True, "problem": None}
    except urllib.error.HTTPError as error:
        return {"address": address, "reached": True, "problem": f"answered {error.code}"}
    except (OSError, ValueError) as error:
        return {"address": address, "reached": False, "problem": str(error)}


# ---- printing --------------------------------------------------------------------------------------------------------


def lines(found: dict[str, Any]) -> list[str]:
    """The report for people."""
    from semwave.commands._terminal import paint, table

    rows = [[f"  {p['name']}", _mark(p["state"]), p["found"] or "-", _needs(p)] for p in found["packages"]]
    advice = [f"  {p['name']}: {p['advice']}" for p in found["packages"] if p["advice"]]
    report = [f"semwave {found['semwave']}", *_machine_lines(found["machine"])]
    report += ["", _title("required packages"), *table(rows), *advice]
    report += ["", _title("computing"), *_computing_lines(found)]
    report += ["", _title("optional"), *(f"  {p['name']}: {p['found'] or 'not installed'}" for p in found["peers"])]
    report += [
        "",
        _title("models that ship with semwave"),
        *(_model_lines(found["models"]) or ["  none"]),
    ]
    if found["fetched"]:
        report += ["", _title("weights that are fetched"), *map(_fetched_line, found["fetched"])]
    if found["hub"]:
        said = "reached" if found["hub"]["reached"] else "not reached"
        problem = f" ({found['hub']['problem']})" if found["hub"]["problem"] else ""
        report += ["", f"hub {found['hub']['address']}: {said}{problem}"]
    verdict = paint("all that is required is there", "green", sys.stdout)
    if not found["ok"]:
        verdict = f"{paint('not ready:', 'red', sys.stdout)} {found['error']}"
    return [*report, "", verdict]


def _fetched_line(weights: dict[str, Any]) -> str:
    name, problem, advice = weights["name"], weights["problem"], weights["advice"]
    return f"  {name}: {problem}, optional: {advice}" if problem else f"  {name}: {weights['path']}"


def _title(text: str) -> str:
    from semwave.commands._terminal import paint

    return paint(text, "bold", sys.stdout)


def _mark(state: str) -> str:
    return state if state == "ok" else state.upper()


def _needs(package: dict[str, Any]) -> str:
    return f"at least {package['wanted']}" if package["wanted"] else ""


def _machine_lines(m: dict[str, Any]) -> list[str]:
    from semwave.commands._terminal import size

    vectors = f", {' '.join(m['vectors'])}" if m["vectors"] else ""
    memory = f"{size(m['memory'])}, {size(m['memory_free'])} free" if m["memory"] and m["memory_free"] else "unknown"
    return [
        f"  Python    {m['python']} ({m['executable']})",
        f"  platform  {m['platform']}",
        f"  CPU       {m['cpus']} × {m['cpu']}{vectors}",
        f"  memory    {memory}",
        f"  disk      {size(m['disk_free'])} free here",
    ]


def _computing_lines(found: dict[str, Any]) -> list[str]:
    from semwave.commands._terminal import size

    d, cache = found["device"], found["numba_cache"]
    if d["device"] is None:
        device = d["problem"]
    elif d["device"] == "cuda":
        device = f"cuda, {d['name']} ({size(d['memory'])})"
    else:
        device = f"cpu, {d['threads']} thread{'s' if d['threads'] != 1 else ''}"
    note = "" if cache["writable"] else " cannot be written: kernels are compiled at every start; set NUMBA_CACHE_DIR"
    return [f"  torch device  {device}", f"  numba cache   {cache['path']}{note}"]


def _model_lines(models: list[dict[str, Any]]) -> list[str]:
    from semwave.commands._terminal import size, table

    return table([[f"  {m['name']}", size(m["bytes"]), m["licence"] or "no licence named"] for m in models])
