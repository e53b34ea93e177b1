"""Key files of links: CURVE (elliptic curve 25519) pairs in ZeroMQ's own text format, ``NAME.key`` and
``NAME.key_secret``.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from semwave.runtime.errors import LinkError

LINE = re.compile(r'^\s*(public-key|secret-key)\s*=\s*"([^"\s]{40})"\s*$', re.MULTILINE)
SECRET = "_secret"


@dataclass(frozen=True)
class LinkKeys:
    """What one end of a link needs: its own pair, and the other's public key."""

    public: bytes
    secret: bytes
    theirs: bytes

    def __repr__(self) -> str:
        return "LinkKeys(...)"  # never in a log


def write_pair(name: str, folder: Path) -> tuple[Path, Path]:
    """Make a pair; gives back the public and the secret file. Raises LinkError where one is there already."""
    from semwave.runtime.sockets import new_keys

    public, secret = new_keys()
    paths = (folder / f"{name}.key", folder / f"{name}.key{SECRET}")
    lines = [f'    public-key = "{public}"\n', f'    secret-key = "{secret}"\n']
    for path in paths:
        if path.exists():
            raise LinkError(f"{path} is there already, and replacing keys locks out everyone who has the old one")
    folder.mkdir(parents=True, exist_ok=True)
    _write(paths[0], "# public key of a semwave part: give it to the others\ncurve\n" + lines[0], 0o644)
    _write(paths[1], "# SECRET key of a semwave part: keep it on its machine\ncurve\n" + "".join(lines), 0o600)
    return paths


def _write(path: Path, text: str, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)


def link_keys(own: Path, other: Path) -> LinkKeys:
    """The keys of one end out of two key files, either of a pair; raises LinkError saying what is missing."""
    secret_file = own if own.name.endswith(SECRET) else own.with_name(own.name + SECRET)
    public_file = other.with_name(other.name.removesuffix(SECRET))
    mine, theirs = _read(secret_file), _read(public_file)
    if "secret-key" not in mine or "public-key" not in mine:
        raise LinkError(f"{secret_file} has no secret key")
    if "public-key" not in theirs:
        raise LinkError(f"{public_file} has no public key")
    return LinkKeys(mine["public-key"], mine["secret-key"], theirs["public-key"])


def _read(path: Path) -> dict[str, bytes]:
    try:
        text = path.read_text(encoding="ascii")
    except OSError as error:
        raise LinkError(f"cannot read the key file {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise LinkError(f"{path} is not a key file; 'semwave keys new' makes them") from None
    found = {key: value.encode() for key, value in LINE.findall(text)}
    if not found:
        raise LinkError(f"{path} is not a key file; 'semwave keys new' makes them")
    return found
