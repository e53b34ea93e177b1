"""Which packages are installed, from their metadata alone: nothing is imported."""

import importlib.util
import re
from importlib import metadata
from itertools import zip_longest
from typing import Any

COMMPY_ADVICE = {
    "wrong": "scikit-commpy takes the import name of the wanted commpy: "
    "pip uninstall -y scikit-commpy, then pip install commpy",
    "both": "commpy and scikit-commpy overwrite each other's files: pip uninstall -y commpy scikit-commpy, "
    "then pip install commpy",
}
PEERS = {"gnuradio": "GNU Radio, to compare with", "sionna": "Sionna, to compare with"}
REQUIREMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:>=\s*([0-9][^\s,;]*))?")


def version(name: str) -> str | None:
    """The installed version of a distribution, or None."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def wanted() -> list[tuple[str, str]] | None:
    """Names and least versions that semwave declares; None when semwave itself is not installed."""
    try:
        lines = metadata.requires("semwave") or []
    except metadata.PackageNotFoundError:
        return None
    found = (REQUIREMENT.match(line) for line in lines if "extra ==" not in line)
    return [(m[1], m[2] or "") for m in found if m]


def packages() -> list[dict[str, Any]]:
    """Every required package: name, version wanted and found, state (ok, missing, too old, wrong, both), advice."""
    return [_package(name, least) for name, least in wanted() or []]


def _package(name: str, least: str) -> dict[str, Any]:
    found = version(name)
    state = "missing" if found is None else "too old" if older(found, least) else "ok"
    spec = f"{name}>={least}" if least else name
    advice = "" if state == "ok" else f"pip install '{spec}'"
    if name == "commpy" and version("scikit-commpy") is not None:
        state = "wrong" if found is None else "both"
        advice = COMMPY_ADVICE[state]
    return {"name": name, "wanted": least, "found": found, "state": state, "advice": advice}


def older(found: str, least: str) -> bool:
    """Whether ``found`` comes before ``least``, by their numbers (``2.10`` is after ``2.9``)."""
    a, b = (tuple(map(int, re.findall(r"\d+", re.match(r"[\d.]*", v)[0]))) for v in (found, least))  # type: ignore[index]
    pairs = zip_longest(a, b, fillvalue=0)
    return next((x < y for x, y in pairs if x != y), False)


def peers() -> list[dict[str, Any]]:
    """Optional programs that the tests and benchmarks compare with."""
    return [{"name": n, "what": what, "found": _peer(n)} for n, what in PEERS.items()]


def _peer(name: str) -> str | None:
    """The version, or "present" for what came without metadata (system packages)."""
    return version(name) or ("present" if importlib.util.find_spec(name) else None)
