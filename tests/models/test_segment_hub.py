"""Models of the hub behind the segmenter's interface, with tiny random ones made from configs."""

import json
from pathlib import Path

import numpy as np
import pytest

from semwave.models.segment import load_segmenter
from semwave.models.segment.ask import parse_key

PICTURE = np.random.default_rng(1).integers(0, 256, (48, 72, 3), dtype=np.uint8)
LABELS = {0: "dog", 1: "polar bear, ice bear", 2: "grass"}


def sam(folder: Path) -> None:
    from transformers import SamConfig, SamModel

    vision = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 64, "patch_size": 16}
    vision |= {"output_channels": 8, "window_size": 0, "global_attn_indexes": [0], "mlp_dim": 16, "num_pos_feats": 4}
    prompt = {"hidden_size": 8, "image_size": 64, "patch_size": 16, "mask_input_channels": 4}
    decoder = {"hidden_size": 8, "num_attention_heads": 2, "mlp_dim": 16, "iou_head_hidden_dim": 8}
    config = SamConfig(vision_config=vision, prompt_encoder_config=prompt, mask_decoder_config=decoder)
    SamModel(config).save_pretrained(folder)


def clipseg(folder: Path) -> None:
    from transformers import CLIPSegConfig, CLIPSegForImageSegmentation, CLIPTokenizer

    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    text = {**small, "vocab_size": 40, "max_position_embeddings": 20, "bos_token_id": 0, "eos_token_id": 1}
    config = CLIPSegConfig(
        text_config={**text, "pad_token_id": 1},
        vision_config={**small, "image_size": 32, "patch_size": 8},
        projection_dim=16, extract_layers=[0, 1], reduce_dim=8, decoder_num_attention_heads=2,
        decoder_intermediate_size=16, conditional_layer=0,
    )  # fmt: skip
    CLIPSegForImageSegmentation(config).save_pretrained(folder)
    letters = "abcdefghijklmnopq"
    vocabulary = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    (folder / "vocab.json").write_text(json.dumps({token: index for index, token in enumerate(vocabulary)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt")).save_pretrained(folder)
    size = {"size": {"height": 32, "width": 32}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(size))


def _swin() -> dict:
    small = {"embed_dim": 8, "depths": [1, 1, 1, 1], "num_heads": [1, 1, 1, 1], "window_size": 2, "image_size": 64}
    return {**small, "out_features": ["stage1", "stage2", "stage3", "stage4"]}


def mask2former(folder: Path) -> None:
    from transformers import Mask2FormerConfig, Mask2FormerForUniversalSegmentation, SwinConfig

    sizes = {"feature_size": 32, "mask_feature_size": 32, "hidden_dim": 32, "encoder_feedforward_dim": 8}
    config = Mask2FormerConfig(
        backbone_config=SwinConfig(**_swin()), **sizes, dim_feedforward=8, encoder_layers=1, decoder_layers=2,
        num_attention_heads=2, num_queries=5, id2label=LABELS,
    )  # fmt: skip
    Mask2FormerForUniversalSegmentation(config).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({"size": {"shortest_edge": 64}}))


def maskformer(folder: Path) -> None:
    from transformers import DetrConfig, MaskFormerConfig, MaskFormerForInstanceSegmentation, SwinConfig

    small = {"encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
    decoder = DetrConfig(**small, d_model=8, encoder_ffn_dim=8, decoder_ffn_dim=8, num_queries=5)
    config = MaskFormerConfig(
        backbone_config=SwinConfig(**_swin()), decoder_config=decoder, fpn_feature_size=32, mask_feature_size=8,
        id2label=LABELS,
    )  # fmt: skip
    MaskFormerForInstanceSegmentation(config).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({"size": 64}))


def segformer(folder: Path) -> None:
    from transformers import SegformerConfig, SegformerForSemanticSegmentation

    config = SegformerConfig(
        hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1], num_attention_heads=[1, 1, 1, 1], decoder_hidden_size=8,
        id2label=LABELS,
    )  # fmt: skip
    SegformerForSemanticSegmentation(config).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({"size": {"height": 64, "width": 64}}))


MAKERS = {f.__name__: f for f in (sam, clipseg, mask2former, maskformer, segformer)}
KEYS = {
    "sam": ["auto", "box:0.1,0.1,0.6,0.9", "point:0.5,0.5"],
    "clipseg": ["auto", "word:bad cab", "point:0.5,0.5"],
    "mask2former": ["auto", "word:dog", "box:0.1,0.1,0.6,0.9"],
    "maskformer": ["auto", "word:Polar"],
    "segformer": ["auto", "word:grass"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch

    root = tmp_path_factory.mktemp("hub")
    for name, make in MAKERS.items():
        torch.manual_seed(4)
        (root / name).mkdir()
        make(root / name)
    return root


@pytest.mark.parametrize("name", list(MAKERS))
def test_every_family_gives_a_map_for_every_key(name, folder):
    model = load_segmenter(f"hub:{folder / name}")
    for text in KEYS[name]:
        for image in (PICTURE, PICTURE[:1, :1]):
            found = model.find(image, parse_key(text))
            assert found.dtype == np.float32
            assert found.shape == image.shape[:2]
            assert np.isfinite(found).all()
            assert 0.0 <= found.min() <= found.max() <= 1.0
        assert np.array_equal(found, model.find(PICTURE[:1, :1], parse_key(text)))


def test_sam_agrees_with_a_call_by_hand(folder):
    """The same point through transformers alone, without our preprocessing."""
    import torch
    from transformers import SamModel

    net = SamModel.from_pretrained(folder / "sam").eval()
    image = np.random.default_rng(2).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    x = (image / 255 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    pixels = torch.from_numpy(x.astype(np.float32)).permute(2, 0, 1)[None]
    with torch.inference_mode():
        out = net(pixel_values=pixels, input_points=torch.tensor([[[[16.0, 40.0]]]]), multimask_output=True)
    best = out.pred_masks[0, 0, out.iou_scores[0, 0].argmax()]
    logits = torch.nn.functional.interpolate(best[None, None], (64, 64), mode="bilinear", align_corners=False)[0, 0]
    found = load_segmenter(f"hub:{folder / 'sam'}").find(image, parse_key("point:16,40px"))
    assert np.allclose(found, logits.sigmoid().numpy(), atol=1e-5)


def test_the_numbers_of_the_preprocessor_file_are_used(folder):
    from semwave.models.segment import hub

    loaded = hub._load(f"hub:{folder / 'clipseg'}", "cpu")
    assert (loaded.side, loaded.mean, loaded.std) == (32, (0.5,) * 3, (0.5,) * 3)
    white = loaded.tensor(np.full((4, 4, 3), 255, np.uint8))
    assert white.shape == (1, 3, 32, 32)
    assert float(white.min()) == pytest.approx(1.0)


def test_words_that_a_model_has_no_label_for(folder):
    with pytest.raises(ValueError, match=r"key word:cat: hub:.* has the labels dog, grass, polar bear, ice bear"):
        load_segmenter(f"hub:{folder / 'segformer'}").find(PICTURE, parse_key("word:cat"))
    with pytest.raises(ValueError, match="knows no words"):
        load_segmenter(f"hub:{folder / 'sam'}").find(PICTURE, parse_key("word:cat"))


def test_a_model_that_cannot_be_had_is_named_with_advice(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(OSError, match=r"hub:nobody/nothing: .* not on this machine, and the hub cannot be reached"):
        load_segmenter("hub:nobody/nothing")
    with pytest.raises(OSError, match=r'hf download nobody/nothing; then .* or use model = "lite"'):
        load_segmenter("hub:nobody/nothing")


def test_folders_without_a_fit_model(tmp_path, folder):
    with pytest.raises(OSError, match=r"the folder does not hold a model with config.json and safetensors"):
        load_segmenter(f"hub:{tmp_path}")
    from transformers import BertConfig

    BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="is of the family 'bert'; key regions come from sam, clipseg"):
        load_segmenter(f"hub:{tmp_path}")


def test_pickled_weights_are_refused(tmp_path, folder):
    (tmp_path / "config.json").write_text((folder / "segformer" / "config.json").read_text())
    (tmp_path / "pytorch_model.bin").write_bytes(b"not to be unpickled")
    with pytest.raises(OSError, match=r"the folder does not hold a model with config.json and safetensors"):
        load_segmenter(f"hub:{tmp_path}")
