"""A U-Net of diffusers with a few hundred thousand random weights, and what it makes of fixed inputs."""

from typing import Any

import torch


def network() -> Any:
    """The same one at every call."""
    from diffusers import UNet2DConditionModel

    torch.manual_seed(0)
    return UNet2DConditionModel(
        sample_size=8, in_channels=4, out_channels=4, layers_per_block=1, block_out_channels=(32, 64),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        norm_num_groups=4, attention_head_dim=4, cross_attention_dim=64,
    ).eval()  # fmt: skip


def seen(unet: Any) -> torch.Tensor:
    """Its output."""
    generator = torch.Generator().manual_seed(1)
    state = torch.randn(1, 4, 8, 8, generator=generator)
    words = torch.randn(1, 3, 64, generator=generator)
    with torch.inference_mode():
        return unet(state, torch.tensor([500.0]), words).sample
