"""Networks in 8 and 4 bits: which layers, how far off, and files that give the same network back."""

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("bitsandbytes")
pytest.importorskip("diffusers")

from small_unet import network, seen  # noqa: E402

from semwave.models.light import folders, quantise, store  # noqa: E402

WAYS = [(8, "nf4"), (4, "nf4"), (4, "fp4")]


@pytest.fixture(scope="module")
def reference() -> torch.Tensor:
    return seen(network())


@pytest.mark.parametrize(("bits", "kind"), WAYS)
def test_close_to_full_precision_and_the_same_from_its_file(bits, kind, reference, tmp_path: Path) -> None:
    small = quantise.quantise(network(), bits, kind)
    shares = quantise.shares(small)
    assert shares["all"] == pytest.approx(shares["linear"] + shares["conv"])
    assert shares["all"] > 0.9
    assert {"linear", "conv"} == {m[:-1] for m in quantise.methods(small).values()}
    assert not {"conv_in", "conv_out"} & quantise.methods(small).keys()
    store.save(small, tmp_path, bits, kind)
    loaded = store.load(tmp_path)
    assert quantise.methods(loaded) == quantise.methods(small)
    first, again = seen(small), seen(loaded)
    scale = float(reference.square().mean().sqrt())
    assert float((first - reference).square().mean().sqrt()) < {8: 0.03, 4: 0.3}[bits] * scale
    assert float((first - again).square().mean().sqrt()) < 5e-3 * scale  # what stays is stored in 16 bits
    total = sum(p.numel() for p in network().parameters())
    assert (tmp_path / store.WEIGHTS).stat().st_size < total * {8: 1.3, 4: 0.85}[bits]


def test_shares_count_every_weight_once() -> None:
    small = quantise.quantise(network(), 8)
    total = sum(p.numel() for p in network().parameters())
    wide = [n for n in quantise.methods(small) if "attn" in n]
    many = sum(network().get_submodule(n).weight.numel() for n in quantise.methods(small))
    assert wide
    assert quantise.shares(small)["all"] == pytest.approx(many / total)


def test_nothing_is_quantised_twice() -> None:
    once = quantise.quantise(network(), 8)
    before = {n: id(once.get_submodule(n)) for n in quantise.methods(once)}
    twice = quantise.quantise(once, 4)
    assert {n: id(twice.get_submodule(n)) for n in before} == before


@pytest.mark.parametrize(("bits", "kind", "says"), [(3, "nf4", "bits must be 8 or 4, not 3"), (4, "int4", "type must")])
def test_bad_ways(bits, kind, says) -> None:
    with pytest.raises(ValueError, match=says):
        quantise.quantise(network(), bits, kind)


def test_broken_folders_say_so(tmp_path: Path) -> None:
    store.save(quantise.quantise(network(), 8), tmp_path, 8)
    how = json.loads((tmp_path / store.HOW).read_text())
    name = next(n for n, m in how["layers"].items() if m == "conv8")
    (tmp_path / store.HOW).write_text(json.dumps(how | {"layers": how["layers"] | {name: "conv4"}}))
    with pytest.raises(ValueError, match=f"does not fit its description at layer {name}"):
        store.load(tmp_path)
    (tmp_path / store.HOW).write_text(json.dumps(how | {"version": 2}))
    with pytest.raises(ValueError, match=r"must say format semwave\.light, version 1"):
        store.load(tmp_path)
    (tmp_path / store.HOW).write_text(json.dumps(how))
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"_class_name": "DiffusionPipeline"}))
    with pytest.raises(ValueError, match="must name a model of diffusers, not 'DiffusionPipeline'"):
        store.load(tmp_path)


def test_a_model_folder_is_quantised_without_its_pickles(tmp_path: Path) -> None:
    source, out = tmp_path / "model", tmp_path / "small"
    network().save_pretrained(source / "unet")
    (source / "decoder.json").write_text("{}")
    (source / "other.bin").write_bytes(b"pickle")
    facts = folders.quantise_model(str(source), out, 4)
    assert facts["bytes_after"] < 0.3 * facts["bytes_before"]
    files = {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()}
    assert files == {"decoder.json", "unet/config.json", "unet/quantised.safetensors", "unet/quantization.json"}
    with pytest.raises(ValueError, match="is quantised already"):
        folders.quantise_model(str(out), tmp_path / "again", 8)
    with pytest.raises(ValueError, match="must be a folder that is empty"):
        folders.quantise_model(str(source), out, 8)


@pytest.mark.parametrize(
    ("model", "says"),
    [("./nowhere", "model must be flow, a folder or a hub id"), ("{}", "holds no model in diffusers")],
)
def test_what_is_no_model(model, says, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=says):
        folders.find(model.format(tmp_path))


def test_a_quantised_folder_loads_as_a_decoder(tmp_path: Path) -> None:
    import numpy as np

    from semwave.models.generate import Received, load_decoder

    folders.quantise_model("flow", tmp_path / "small", 8)
    scene = Received((32, 32, 3), None, None, "caption a dog", np.full((32, 32, 3), 0.4, np.float32))
    full, small, loaded = (
        decoder.decode([scene], [1])[0].image.astype(float)
        for decoder in (load_decoder(), load_decoder(bits=8), load_decoder(str(tmp_path / "small")))
    )
    assert np.abs(full - small).mean() < 3
    assert np.abs(small - loaded).mean() < 1
