"""The train command hands its options to the training that is named."""

from importlib.util import find_spec

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
