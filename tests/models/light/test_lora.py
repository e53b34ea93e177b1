"""Adapters: no effect at first, files of peft and of diffusers alike, merging adds B A, quantised bases train."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("bitsandbytes")
pytest.importorskip("peft")
pytest.importorskip("diffusers")

from small_unet import network, seen  # noqa: E402

from semwave.models.light import lora, quantise  # noqa: E402


def adapted(unet, rank: int = 4):
    """``unet`` with an adapter that does something."""
    lora.add(unet, rank, seed=3)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, p in lora.parameters(unet).items():
            if "lora_B" in name:
                p.copy_(0.02 * torch.randn(p.shape, generator=generator))
    return unet


@pytest.mark.parametrize("bits", [None, 8, 4])
def test_starts_without_effect_and_trains_only_itself(bits) -> None:
    unet = network() if bits is None else quantise.quantise(network(), bits)
    before = seen(unet)
    count = lora.add(unet, 4, seed=3)
    assert torch.allclose(seen(unet), before, atol=1e-6)
    trained = {n for n, p in unet.named_parameters() if p.requires_grad}
    assert trained == set(lora.parameters(unet))
    assert count == sum(lora.parameters(unet)[n].numel() for n in trained)
    unet(torch.ones(1, 4, 8, 8), torch.tensor([500.0]), torch.ones(1, 3, 64)).sample.square().sum().backward()
    gradients = {n: p.grad for n, p in lora.parameters(unet).items() if "lora_B" in n}
    assert all(g is not None for g in gradients.values())
    assert any("resnets" in n and float(g.abs().sum()) > 0 for n, g in gradients.items())
    assert any("attn" in n and float(g.abs().sum()) > 0 for n, g in gradients.items())


def test_same_seed_same_adapter() -> None:
    first, second = (lora.add(unet := network(), 4, 3) and lora.parameters(unet) for _ in range(2))
    assert all(torch.equal(first[n], second[n]) for n in first)


@pytest.mark.parametrize("bits", [None, 4])
def test_files_give_the_adapter_back(bits, tmp_path: Path) -> None:
    def base():
        return network() if bits is None else quantise.quantise(network(), bits)

    made = adapted(base())
    lora.save(made, tmp_path / "adapter")
    assert {p.name for p in (tmp_path / "adapter").iterdir()} == {lora.CONFIG, lora.WEIGHTS}
    again = lora.apply(base(), tmp_path / "adapter")
    assert torch.equal(seen(made), seen(again))
    assert not torch.allclose(seen(made), seen(base()), atol=1e-3)


def test_peft_reads_it(tmp_path: Path) -> None:
    from peft import PeftModel

    made = adapted(network())
    lora.save(made, tmp_path)
    assert torch.allclose(seen(PeftModel.from_pretrained(network(), tmp_path).base_model.model), seen(made), atol=1e-6)


def test_adapters_of_diffusers_keep_their_scale(tmp_path: Path) -> None:
    from peft import LoraConfig

    made = network()
    made.add_adapter(LoraConfig(r=2, lora_alpha=6, target_modules=["to_q", "to_v"], init_lora_weights=False))
    made.save_lora_adapter(tmp_path)
    assert torch.allclose(seen(lora.apply(network(), tmp_path)), seen(made), atol=1e-6)


def test_merging_gives_the_same_network_without_adapter() -> None:
    made = adapted(network())
    before = seen(made)
    plain = lora.merge(made)
    assert not lora.parameters(plain)
    assert torch.allclose(seen(plain), before, atol=1e-5)
    assert plain.state_dict().keys() == network().state_dict().keys()


def test_what_does_not_fit(tmp_path: Path) -> None:
    from diffusers import UNet2DModel
    from safetensors.torch import save_file

    with pytest.raises(ValueError, match="rank must be at least 1"):
        lora.add(network(), 0, 1)
    with pytest.raises(ValueError, match="rank must be below the width"):
        lora.add(network(), 4096, 1)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        lora.apply(network(), tmp_path / "none")
    lora.save(adapted(network()), tmp_path / "adapter")
    other = UNet2DModel(
        block_out_channels=(8,), norm_num_groups=4, layers_per_block=1, down_block_types=("DownBlock2D",),
        up_block_types=("UpBlock2D",),
    )  # fmt: skip
    with pytest.raises(ValueError, match="is for another network"):
        lora.apply(other, tmp_path / "adapter")
    name = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
    wrong = {f"{name}.lora_A.weight": torch.ones(2, 7), f"{name}.lora_B.weight": torch.ones(64, 2)}
    save_file(wrong, tmp_path / "wrong.safetensors")
    with pytest.raises(ValueError, match="does not fit the network"):
        lora.apply(network(), tmp_path / "wrong.safetensors")
