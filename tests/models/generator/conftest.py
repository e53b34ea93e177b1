"""Pipelines of diffusers with a few thousand random weights, made from configurations, saved as hub folders."""

import json
from pathlib import Path
from typing import Any

import pytest

WORDS = ["<|startoftext|>", "<|endoftext|>", "a</w>", "dog</w>", "!", "a", "d", "o", "g"]


def tokenizer(folder: Path) -> Any:
    """A CLIP tokenizer that knows nine tokens."""
    from transformers import CLIPTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({word: n for n, word in enumerate(WORDS)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=16)


def text_encoder(projection: bool = False) -> Any:
    """A CLIP text model of one layer."""
    import torch
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    torch.manual_seed(0)
    config = CLIPTextConfig(
        vocab_size=len(WORDS), hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=16, projection_dim=16, bos_token_id=0, eos_token_id=1, pad_token_id=1,
    )  # fmt: skip
    return CLIPTextModelWithProjection(config) if projection else CLIPTextModel(config)


def networks(channels: int, width: int, xl: bool = False) -> dict[str, Any]:
    """UNet with ``channels`` inputs and cross-attention over ``width``, and an autoencoder that divides sides by 8."""
    import torch
    from diffusers import AutoencoderKL, UNet2DConditionModel

    torch.manual_seed(0)
    more: dict[str, Any] = {}
    if xl:
        more = {"addition_embed_type": "text_time", "addition_time_embed_dim": 8,
                "projection_class_embeddings_input_dim": 6 * 8 + 16, "time_cond_proj_dim": None}  # fmt: skip
    unet = UNet2DConditionModel(
        sample_size=8, in_channels=channels, out_channels=4, layers_per_block=1, block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        norm_num_groups=4, attention_head_dim=2, cross_attention_dim=width, **more,
    )  # fmt: skip
    vae = AutoencoderKL(
        sample_size=64, block_out_channels=(4, 4, 4, 4), norm_num_groups=4, latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
    )  # fmt: skip
    return {"unet": unet, "vae": vae}


def stable_diffusion(folder: Path, channels: int, lcm: bool = False) -> Path:
    """Stable Diffusion: 9 channels for the inpainting family, 4 for the plain one; ``lcm`` with its scheduler."""
    from diffusers import DDIMScheduler, LCMScheduler, StableDiffusionInpaintPipeline, StableDiffusionPipeline

    kind = StableDiffusionInpaintPipeline if channels == 9 else StableDiffusionPipeline
    scheduler = LCMScheduler if lcm else DDIMScheduler
    kind(
        text_encoder=text_encoder(), tokenizer=tokenizer(folder / "words"), scheduler=scheduler(),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False, **networks(channels, 16),
    ).save_pretrained(folder)  # fmt: skip
    return folder


def sdxl_turbo(folder: Path) -> Path:
    """SDXL with two text encoders and the scheduler of its turbo version."""
    from diffusers import EulerAncestralDiscreteScheduler, StableDiffusionXLPipeline

    words = tokenizer(folder / "words")
    StableDiffusionXLPipeline(
        text_encoder=text_encoder(), text_encoder_2=text_encoder(projection=True), tokenizer=words, tokenizer_2=words,
        scheduler=EulerAncestralDiscreteScheduler(timestep_spacing="trailing"), add_watermarker=False,
        **networks(4, 32, xl=True),
    ).save_pretrained(folder)  # fmt: skip
    return folder


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One folder a family."""
    root = tmp_path_factory.mktemp("hub")
    return {
        "inpainting": stable_diffusion(root / "inpainting", 9),
        "lcm": stable_diffusion(root / "tiny-lcm", 4, lcm=True),
        "turbo": sdxl_turbo(root / "tiny-sdxl-turbo"),
    }
