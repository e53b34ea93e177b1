"""Captioners: the own one's parts, beam search against all texts, hub families built tiny from configs, errors."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from semwave.models.prompt_grammar import PLACES
from semwave.models.text.beam import search
from semwave.models.text.captioner import Said, load_own, place_of, seen_cells
from semwave.models.text.choose import check, load_captioner
from semwave.models.text.hub import HubCaptioner, without
from semwave.models.text.things import things

WORDS = ("a", "dog", "cat", "man", "on", "the", "grass", "beach", "runs", "sits")
PHOTOS = Path(__file__).resolve().parents[3] / "recordings" / "images"
PHOTO = np.random.default_rng(0).integers(0, 256, (40, 56, 3), dtype=np.uint8)


def chances(rows: torch.Tensor) -> torch.Tensor:
    """Log odds over 5 words that depend on the last two words."""
    out = []
    for row in rows.tolist():
        generator = torch.Generator().manual_seed(sum(w * 7**i for i, w in enumerate(row[-2:])))
        out.append(2.0 * torch.randn(5, generator=generator))
    return torch.stack(out)


@pytest.mark.parametrize("longest", [2, 3, 4])
def test_wide_beams_find_the_best_text(longest: int) -> None:
    best: tuple[float, list[int]] = (-np.inf, [])
    for length in range(1, longest):
        for words in itertools.product((2, 3, 4), repeat=length):
            if any(a == b for a, b in itertools.pairwise(words)):
                continue
            pairs = list(itertools.pairwise([1, *words]))
            if len(set(pairs)) < len(pairs):
                continue
            told, total = [1], 0.0
            for word in (*words, 1):
                row = torch.log_softmax(chances(torch.tensor([told]))[0], dim=0)
                total += float(row[word])
                told.append(word)
            best = max(best, (total / (length + 1) ** 0.7, list(words)))
    assert search(chances, 1, longest, beams=200) == best[1]


def test_cells_of_the_key_region_are_left_out() -> None:
    region = np.zeros((70, 140), bool)
    region[:, :70] = True
    seen = seen_cells(region).reshape(7, 7)
    assert seen[:, 4:].all()
    assert not seen[:, :3].any()
    assert seen_cells(None).all()
    assert not seen_cells(np.ones((9, 9), bool)).any()
    almost = np.ones((70, 70), bool)
    almost[0, 0] = False
    assert seen_cells(almost).sum() == 1


@pytest.mark.parametrize(
    ("row", "column", "place"),
    [
        (0, 0, "top left"),
        (0, 3, "top"),
        (3, 3, "centre"),
        (3, 6, "right"),
        (6, 1, "bottom left"),
        (6, 6, "bottom right"),
    ],
)
def test_places(row: int, column: int, place: str) -> None:
    scores = np.full((7, 7), -9.0)
    scores[row, column] = 3.0
    assert place_of(scores.reshape(-1)) == place


def test_what_is_everywhere_has_no_place() -> None:
    assert place_of(np.zeros(49)) == ""


def test_own_captioner_speaks_of_the_rest() -> None:
    image = np.asarray(Image.open(PHOTOS / "astronaut.jpg").convert("RGB"))
    region = np.zeros(image.shape[:2], bool)
    region[:, : image.shape[1] // 3] = True
    regions = [None, region, np.ones_like(region)]
    said = load_own()([image] * 3, regions)
    assert said == load_own()([image] * 3, regions)
    assert said[0].caption.startswith("a ")
    assert said[2] == Said("")
    assert all(place in PLACES for one in said for _, place in one.things)


def test_things_of_words() -> None:
    assert things(["two", "dogs", "and", "a", "woman", "near", "trees"]) == {"dog", "woman", "tree"}


def test_blanked_key_region() -> None:
    region = np.zeros(PHOTO.shape[:2], bool)
    region[:10] = True
    out = without(PHOTO, region)
    assert np.array_equal(out[10:], PHOTO[10:])
    assert (out[:10] == np.rint(PHOTO[10:].mean(axis=(0, 1)))).all()
    assert without(PHOTO, None) is PHOTO


def vocabulary(folder: Path) -> str:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    file = folder / "vocab.txt"
    file.write_text("\n".join(words) + "\n")
    return str(file)


def tiny_blip(folder: Path) -> None:
    from transformers import (
        BertTokenizerFast,
        BlipConfig,
        BlipForConditionalGeneration,
        BlipImageProcessor,
        BlipProcessor,
    )

    tokenizer = BertTokenizerFast(vocabulary(folder))
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    ids = {"bos_token_id": 2, "sep_token_id": 3, "eos_token_id": 3, "pad_token_id": 0}
    config = BlipConfig(
        text_config={**sizes, **ids, "vocab_size": 15, "encoder_hidden_size": 16, "max_position_embeddings": 32},
        vision_config={**sizes, "image_size": 32, "patch_size": 16}, projection_dim=8,
    )  # fmt: skip
    torch.manual_seed(0)
    BlipForConditionalGeneration(config).save_pretrained(folder)
    BlipProcessor(BlipImageProcessor(size={"height": 32, "width": 32}), tokenizer).save_pretrained(folder)


def tiny_git(folder: Path) -> None:
    from transformers import BertTokenizerFast, CLIPImageProcessor, GitConfig, GitForCausalLM, GitProcessor

    tokenizer = BertTokenizerFast(vocabulary(folder))
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = GitConfig(
        vision_config={**sizes, "image_size": 32, "patch_size": 16}, **sizes, vocab_size=15, bos_token_id=2,
        eos_token_id=3, pad_token_id=0, max_position_embeddings=64,
    )  # fmt: skip
    torch.manual_seed(0)
    GitForCausalLM(config).save_pretrained(folder)
    processor = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    GitProcessor(processor, tokenizer).save_pretrained(folder)


def tiny_florence(folder: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import (
        BartConfig,
        CLIPImageProcessor,
        Florence2Config,
        Florence2ForConditionalGeneration,
        Florence2Processor,
        PreTrainedTokenizerFast,
    )

    marks = {"pad": "<pad>", "bos": "<s>", "eos": "</s>", "unk": "<unk>"}
    words = [*marks.values(), "<image>", *WORDS]
    plain = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=plain, extra_special_tokens={"image_token": "<image>"},
        **{f"{key}_token": mark for key, mark in marks.items()},
    )  # fmt: skip
    sides = {f"{side}_{part}": 2 for side in ("encoder", "decoder") for part in ("attention_heads", "ffn_dim")}
    text = BartConfig(
        **sides, vocab_size=15, d_model=16, encoder_layers=1, decoder_layers=1, max_position_embeddings=64,
        pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=2, forced_eos_token_id=2,
    )  # fmt: skip
    pairs = {"patch_size": (7, 3), "patch_stride": (4, 2), "patch_padding": (3, 1), "patch_prenorm": (False, True)}
    pairs |= {"depths": (1, 1), "embed_dim": (8, 16), "num_heads": (2, 2), "num_groups": (2, 2)}
    vision = {**pairs, "window_size": 4, "projection_dim": 16, "max_position_embeddings": 10}
    config = Florence2Config(text_config=text.to_dict(), vision_config=vision, image_token_id=4)
    torch.manual_seed(0)
    Florence2ForConditionalGeneration(config).save_pretrained(folder)
    processor = CLIPImageProcessor(size={"height": 32, "width": 32}, do_center_crop=False)
    processor.image_seq_length = 17  # 4 x 4 and one for the whole
    Florence2Processor(processor, tokenizer).save_pretrained(folder)


@pytest.mark.parametrize("build", [tiny_blip, tiny_git, tiny_florence])
def test_families_of_the_hub(build: Any, tmp_path: Path) -> None:
    build(tmp_path)
    captioner = load_captioner(f"hub:{tmp_path}")
    said = captioner([PHOTO, PHOTO], [None, np.ones(PHOTO.shape[:2], bool)])
    assert len(said) == 2
    assert all(isinstance(one.caption, str) and one.things == () for one in said)
    assert "[" not in said[0].caption


def test_only_safetensors_are_loaded(tmp_path: Path) -> None:
    tiny_blip(tmp_path)
    weights = tmp_path / "model.safetensors"
    torch.save({"a": torch.zeros(1)}, tmp_path / "pytorch_model.bin")
    weights.unlink()
    with pytest.raises(OSError, match=r"does not hold a captioner with config.json, processor and safetensors"):
        HubCaptioner(str(tmp_path))


def test_an_unknown_family_is_named(tmp_path: Path) -> None:
    from transformers import BertConfig

    BertConfig(num_hidden_layers=1).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"families blip, blip-2, git, florence2; .* is 'bert'"):
        HubCaptioner(str(tmp_path))


def test_no_network_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(OSError, match=r'hub could not be reached.*hf download nobody/nothing.*caption = "own"'):
        load_captioner("hub:nobody/nothing")


def test_words_of_the_user_and_none() -> None:
    assert load_captioner("text:a red barn")([PHOTO], [None])[0].caption == "a red barn"
    assert load_captioner("off")([PHOTO], [None])[0].caption == ""
    assert check("hub:Salesforce/blip") == ("hub", "Salesforce/blip")
    for wrong in ("", "blip", "hub:", "text: ", "own:x"):
        with pytest.raises(ValueError, match="caption must be own, off, hub:ID-OR-FOLDER or text:WORDS, not"):
            check(wrong)


def test_a_folder_without_a_model_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"does not hold a captioner with config.json, processor and safetensors"):
        load_captioner(f"hub:{tmp_path}")


def test_the_block_refuses_another_caption_before_a_run() -> None:
    from semwave.blocks.text import TextEncoder

    with pytest.raises(Exception, match="caption must be own, off, hub:ID-OR-FOLDER or text:WORDS, not 'text:'"):
        TextEncoder(caption="text:")
