"""Trainings of the text models: a run that was cut and resumed ends as one that was not; labels and texts."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from semwave.models.text.things import NAMES
from semwave.training import captioner, prior, text_run
from semwave.training.captioner_data import Picture, every_twentieth, words


def run(out: Path, resume: Path | None = None, steps: int = 8, stop: int = 8) -> text_run.TextRun:
    """Steps of a tiny model on data that the step number fixes."""
    torch.manual_seed(3)
    model = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Dropout(0.5), torch.nn.Linear(5, 1))
    args = argparse.Namespace(out=out, resume=resume, minutes=5.0, seed=3)
    made = text_run.TextRun(model, args, 0.01)

    def loss(step: int) -> dict[str, torch.Tensor]:
        if step >= stop:
            raise KeyboardInterrupt
        x = torch.randn(6, 4, generator=torch.Generator().manual_seed(step))
        return {"square": (model(x) - x.sum(1, keepdim=True)).square().mean()}

    made.train(steps, loss, every=2)
    return made


def test_cut_and_resumed_is_the_same_as_uncut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_run, "SHARD_BYTES", 100)
    whole = run(tmp_path / "whole")
    cut = run(tmp_path / "cut", stop=5)
    assert cut.step == 5
    again = run(tmp_path / "cut", resume=tmp_path / "cut")
    assert again.step == 8
    for name, value in whole.average.items():
        assert torch.equal(again.average[name], value)
    for one, other in zip(whole.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(one, other)
    rows = [json.loads(line) for line in (tmp_path / "cut" / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [2, 4, 5, 6, 8]
    assert (tmp_path / "cut" / "curve.png").stat().st_size > 1000
    assert len(list((tmp_path / "cut" / "checkpoint").glob("*.safetensors"))) > 5


@pytest.mark.parametrize(
    ("question", "answer", "said"),
    [
        ("Where is the cat?", "On the bed.", ["the cat on the bed"]),
        ("What color is the bus?", "Red.", ["red bus"]),
        ("Who is walking the dog?", "A man.", ["a man walking the dog"]),
        ("How many dogs are shown?", "Two.", ["two dogs"]),
        ("Why is it dark?", "It is night.", []),
    ],
)
def test_questions_become_statements(question: str, answer: str, said: list[str]) -> None:
    assert captioner.statements(question, answer) == said


def test_labels_know_what_is_unknown() -> None:
    told = captioner.Corpus.labels_of(Picture("z", "a.jpg", "train", ("a dog on grass", "the dogs run")))
    assert told[NAMES.index("dog")] == 1.0
    assert told[NAMES.index("grass")] == np.float32(0.7)
    assert told[NAMES.index("cat")] == 0.0
    asked = captioner.Corpus.labels_of(Picture("z", "a.jpg", "train", (), (("Where is the cat?", "On the bed."),)))
    assert asked[NAMES.index("cat")] == 1.0
    assert asked[NAMES.index("dog")] == -1.0


def test_words_and_plain_texts() -> None:
    assert words("A man's tri-colored dog .") == ["a", "man", "'s", "tri", "colored", "dog"]
    assert prior.tidy("Two dogs , running .") == "Two dogs, running."
    assert prior.plain("Two dogs run.") == "two dogs run"
    assert prior.plain("TV on") == "TV on"
    assert prior.plain("A dog") == "a dog"


def test_every_twentieth_is_development() -> None:
    splits = every_twentieth([f"{i:03d}" for i in range(41)])
    assert [name for name, split in splits.items() if split == "dev"] == ["000", "020", "040"]


@pytest.mark.parametrize("training", [prior, captioner])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--data", "nowhere"], "argument --data: there is no folder nowhere"),
        (["--minutes", "-1", "--data", "."], "argument --minutes: must be a number of minutes above 0, not '-1'"),
        (["--minutes", "soon", "--data", "."], "must be a number of minutes above 0, not 'soon'"),
        (["--resume", "nowhere", "--data", "."], "argument --resume: there is no folder nowhere"),
    ],
)
def test_bad_options_are_named(training, given: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        training.main(given)
    told = capsys.readouterr().err
    assert message in told
    assert told.startswith(f"usage: semwave train {training.__name__.rpartition('.')[2]}")
