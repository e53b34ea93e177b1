"""Training of the decoder: data that depend on number and seed alone, runs that can be broken and resumed."""

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from semwave.models import bands  # noqa: E402
from semwave.models.generate import Received, load_decoder  # noqa: E402
from semwave.models.generator import conditions  # noqa: E402
from semwave.training import decoder, decoder_data, features  # noqa: E402

CPU = torch.device("cpu")
DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


@pytest.fixture(scope="module")
def kept() -> dict[str, np.ndarray]:
    """Twelve examples of noise."""
    rng = np.random.default_rng(1)
    made = {n: rng.random((12, *shape)).astype(np.float16) for n, (shape, _) in decoder_data.FIELDS.items()}
    for name in ("image", "composite"):
        made[name] = rng.integers(0, 256, made[name].shape, dtype=np.uint8)
    made["mask"] = np.kron(rng.random((12, 12, 12)) < 0.3, np.ones((1, 16, 16), bool))
    return made


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> decoder.Judge:
    """The loss with random networks of the right shapes."""
    folder, rng = tmp_path_factory.mktemp("features"), np.random.default_rng(2)
    widths = {"VGG16_0": [3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512], "AlexNet_0": [3, 64, 192, 384, 256, 256]}
    sides = {"VGG16_0": [3] * 10, "AlexNet_0": [11, 5, 3, 3, 3]}
    heads = {"VGG16_0": [64, 128, 256, 512], "AlexNet_0": [64, 192, 384, 256, 256]}
    for kind, file in (("VGG16_0", "lpips_vgg"), ("AlexNet_0", "lpips_alex")):
        tensors = {}
        for n, (side, into, out) in enumerate(zip(sides[kind], widths[kind], widths[kind][1:], strict=False)):
            tensors[f"{kind}.Conv_{n}.kernel"] = rng.standard_normal((side, side, into, out), np.float32) * 0.05
            tensors[f"{kind}.Conv_{n}.bias"] = np.zeros(out, np.float32)
        for n, width in enumerate(heads[kind]):
            tensors[f"NetLinLayer_{n}.Conv_0.kernel"] = np.full((1, 1, width, 1), 1.0 / width, np.float32)
        np.savez(folder / f"{file}.npz", **tensors)
    return decoder.Judge(folder, CPU)


def test_batches_depend_on_their_number_alone(kept: dict[str, np.ndarray]) -> None:
    first, again = decoder.Batches(kept, 3, CPU), decoder.Batches(kept, 3, CPU)
    again.get(0)
    for name, tensor in first.get(5).items():
        assert torch.equal(tensor, again.get(5)[name])
    assert not torch.equal(first.get(5)["image"], first.get(6)["image"])
    assert not torch.equal(first.get(5)["image"], decoder.Batches(kept, 4, CPU).get(5)["image"])


def test_crops_are_aligned(kept: dict[str, np.ndarray]) -> None:
    cut = decoder.Batches(kept, 3, CPU).crops([7], [(8, 64)], 96)
    assert np.allclose(cut["image"][0].numpy().transpose(1, 2, 0) * 255, kept["image"][7][8:104, 64:160], atol=1e-3)
    assert np.array_equal(cut["mask"][0, 0].numpy() > 0, kept["mask"][7][8:104, 64:160])
    assert np.array_equal(cut["hints"][0].numpy(), kept["hints"][7][:, 2:26, 16:40].astype(np.float32))


def test_the_flow_starts_at_the_textured_fill(kept: dict[str, np.ndarray]) -> None:
    run, batch = decoder.Run(1, CPU), decoder.Batches(kept, 3, CPU).crops([0], [(0, 0)], 96)
    noise = decoder.white(batch, 1)
    with torch.no_grad():
        made = decoder.rebuilt(run.model, batch, torch.ones(1), run.scales, noise)
        exact = decoder.rebuilt(run.model, batch, torch.zeros(1), run.scales, noise)
    start = (batch["composite"] + batch["detail"]).clamp(0, 1)
    rest = (batch["mask"] == 0).expand_as(start)
    assert torch.allclose(made[rest], start[rest], atol=1e-4)
    key = ~rest
    room = batch["key_error"].item() + 1e-4
    assert ((made - batch["composite"])[key].abs() <= room).all()
    left = batch["image"] - batch["composite"]
    kept_of_it = bands.synthesise(bands.analyse(left + 0.5))  # the finest chroma is left out
    assert torch.allclose(exact[rest], (batch["composite"] + kept_of_it).clamp(0, 1)[rest], atol=1e-4)


def test_velocity_is_a_sum_of_three() -> None:
    seen = torch.arange(3 * 24, dtype=torch.float32).reshape(1, 72, 1, 1)
    source, noise = torch.full((1, 24, 1, 1), 2.0), torch.full((1, 24, 1, 1), -1.0)
    want = [k + 2.0 * (24 + k) - (48 + k) for k in range(24)]
    assert conditions.velocity(seen, source, noise).flatten().tolist() == want


def test_texture_distance() -> None:
    generator = torch.Generator().manual_seed(3)
    a = torch.rand((2, 8, 16, 16), generator=generator)
    moved = a.flatten(2)[..., torch.randperm(256, generator=generator)].reshape(a.shape)
    assert features.texture_distance([a], [a]).item() == pytest.approx(0.0, abs=1e-6)
    assert features.texture_distance([moved], [a]).item() == pytest.approx(0.0, abs=1e-5)
    assert features.texture_distance([2.0 * a], [a]).item() == pytest.approx(2 * (1 - 4 / 5), abs=0.01)


@pytest.mark.slow
def test_a_broken_run_goes_on_as_if_it_were_whole(
    kept: dict[str, np.ndarray], judge: decoder.Judge, tmp_path: Path
) -> None:
    batches = decoder.Batches(kept, 3, CPU)

    def steps(run: decoder.Run, count: int) -> None:
        for _ in range(count):
            run.learn(batches.get(run.step), judge, 5, run.step / 4)

    torch.set_num_threads(1)
    whole = decoder.Run(1, CPU)
    steps(whole, 2)
    whole.save(tmp_path / "ck")
    assert all(p.stat().st_size < 16 * 2**20 for p in (tmp_path / "ck").iterdir())
    broken = decoder.Run(2, CPU)
    broken.resume(tmp_path / "ck")
    assert broken.step == 2
    steps(whole, 1)
    steps(broken, 1)
    for (name, a), b in zip(whole.average.named_parameters(), broken.average.parameters(), strict=True):
        assert torch.equal(a, b), name
    assert any(p.abs().max() > 0 for p in whole.model.conv_out.parameters())

    whole.export(tmp_path / "out")
    assert json.loads((tmp_path / "out" / "decoder.json").read_text())["steps_trained"] == 3
    loaded = load_decoder(str(tmp_path / "out"))
    image = np.random.default_rng(1).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    (made,) = loaded.decode([Received(image.shape, prompt="caption a dog")], [1], steps=2)
    assert made.image.shape == image.shape


@pytest.mark.skipif(not DATA.is_dir(), reason="the training pictures are not here")
def test_examples_of_the_data() -> None:
    train, held = decoder_data.photos(DATA), decoder_data.photos(DATA, held_out=True)
    assert not {p.member for p in train} & {p.member for p in held}
    examples = decoder_data.Examples(train[:40] + train[-40:], 3)
    first, again = examples.make(5), examples.make(5)
    for name, (shape, _) in decoder_data.FIELDS.items():
        assert np.shape(first[name]) == shape
        assert np.array_equal(first[name], again[name])


@pytest.mark.parametrize("size", [(64, 64), (50, 91)])
def test_random_masks(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(4)
    shares = [decoder_data.random_mask(rng, *size).mean() for _ in range(60)]
    assert decoder_data.random_mask(rng, *size).shape == size
    assert 0.03 < min(shares) < max(shares) < 0.75
    assert np.std(shares) > 0.05
