"""The train command hands its options to the training that is named."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from semwave import cli
from semwave.commands import train


def test_every_training_is_there() -> None:
    missing = [name for name in train.TRAININGS.values() if find_spec(name) is None]
    assert not missing


def test_help_is_the_trainings_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["train", "semantic", "--help"]) == 0
    assert "semwave train semantic" in capsys.readouterr().out


def test_wrong_options_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["train", "semantic", "--minutes", "soon"]) == 2
    assert "argument --minutes: must be a number of minutes above 0, not 'soon'" in capsys.readouterr().err
    assert cli.run(["train", "everything"]) == 2
    assert "invalid choice: 'everything'" in capsys.readouterr().err


@pytest.mark.parametrize("model", ["captioner", "decoder", "prior", "semantic"])
def test_a_folder_without_pictures_is_refused_by_the_options_name(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["train", model, "--data", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert f"argument --data: {tmp_path} " in told
    assert "clean/ and research/" in told


def test_a_decoder_goes_on_without_its_photographs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from semwave.training import decoder, decoder_data

    (tmp_path / "kept").mkdir()
    go = ["train", "decoder", "--resume", str(tmp_path / "kept"), "--cache", str(tmp_path), "--examples", "1"]
    assert cli.run(go) == 2
    assert "--data is needed: " in capsys.readouterr().err
    for held_out in (False, True):
        for shard in range(-(-24 // decoder_data.HELD_SHARD)):
            decoder_data._shard(tmp_path, 7, shard, held_out).touch()
    assert not decoder_data.missing(tmp_path, 1, 7)
    assert list(decoder_data.prepare(None, tmp_path, 1, 7)) == []
    seen: list[Path] = []
    monkeypatch.setattr(decoder_data, "load", lambda cache, *more, **named: seen.append(cache) or {"mask": ()})
    monkeypatch.setattr(decoder.features, "prepare", lambda folder: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):  # as far as the networks of the loss
        decoder.main(go[2:])
    assert seen == [tmp_path, tmp_path]
