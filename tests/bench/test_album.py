"""What the album of a run tells when something is odd: a full disk, names that are more than one line."""

import errno
from pathlib import Path

import numpy as np
import pytest

from semwave.bench.album import Album
from semwave.blocks.io import image_packet


def given(album: Album, name: str) -> None:
    picture = np.zeros((8, 8, 3), np.uint8)
    album.add(0, "sent", image_packet(picture))
    album.add(0, "image", image_packet(picture))
    album.add(0, "row", {"number": 0, "name": name, "result": "ok"})


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_told_with_what_was_being_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    album = Album(tmp_path, kinds={"sent", "image", "row"})
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left on device") as caught:
        given(album, "a.png")
    assert caught.value.filename == str(tmp_path / "00_a")


def test_errors_that_name_their_file_keep_it(tmp_path: Path) -> None:
    (tmp_path / "00_a").write_text("in the way")
    with pytest.raises(FileExistsError) as caught:
        given(Album(tmp_path, kinds={"sent", "image", "row"}), "a.png")
    assert str(caught.value.filename) == str(tmp_path / "00_a")


@pytest.mark.parametrize("name", ["two\nlines.png", "tab\tin it.png", "Grüße aus 東京.webp"])
def test_every_picture_has_one_line_in_the_table(tmp_path: Path, name: str) -> None:
    album = Album(tmp_path, with_sheet=False, kinds={"sent", "image", "row"})
    given(album, name)
    lines = album.table().splitlines()
    assert lines[1].startswith(f"{' '.join(name.split())[:16]:<16} ok ")
    assert lines[0].startswith("picture ")
    assert [p.name for p in tmp_path.iterdir()] == [f"00_{Path(name).stem}"]
