"""Collections: several recordings that belong together, and whether their metadata are those that were listed."""

from collections.abc import Callable, Iterator
from hashlib import sha512
from pathlib import Path

from semwave.recording import metadata as md
from semwave.recording.errors import RecordingError
from semwave.recording.locate import COLLECTION, META, stream_names
from semwave.recording.reader import Recording, open_recording


class Collection:
    """The recordings that a ``.sigmf-collection`` lists, in its order: iterate, or take one by name."""

    def __init__(self, file: Path, warn: Callable[[str], None] | None = None) -> None:
        self.path, self._warn = file, warn
        self.metadata = md.parse_json(md.read_bytes(file), str(file))
        self._listed = dict(stream_names(file))

    @property
    def names(self) -> list[str]:
        """Names of the recordings."""
        return list(self._listed)

    def __len__(self) -> int:
        return len(self._listed)

    def __getitem__(self, name: str) -> Recording:
        return open_recording(self.path, name, warn=self._warn)

    def __iter__(self) -> Iterator[Recording]:
        return (self[name] for name in self._listed)

    def hash_check(self) -> dict[str, str]:
        """For each recording whether its metadata file has the hash that is listed: ok, mismatch, absent or missing."""
        found = {}
        for name, expected in self._listed.items():
            try:
                actual = sha512(md.read_bytes(self.path.with_name(name + META))).hexdigest()
            except RecordingError:
                found[name] = "missing"
                continue
            found[name] = "absent" if expected is None else "ok" if expected.lower() == actual else "mismatch"
        return found


def open_collection(path: str | Path, *, warn: Callable[[str], None] | None = None) -> Collection:
    """Open a collection by its file or base name; raises RecordingError."""
    file = Path(path)
    if file.suffix != COLLECTION:
        file = file.with_name(file.name + COLLECTION)
    return Collection(file, warn)


def write_collection(file: Path, names: list[str], description: str = "") -> None:
    """List the recordings ``names`` in ``file``, with the hashes of their metadata as they are now."""
    streams = []
    for name in names:
        digest = sha512(md.read_bytes(file.with_name(name + META))).hexdigest()
        streams.append({"name": name, "hash": digest})
    inner: md.Metadata = {"core:version": md.VERSION, "core:streams": streams}
    if description:
        inner["core:description"] = description
    md.replace_file(file, md.dump({"collection": inner}))
