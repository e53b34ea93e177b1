"""Recordings in and out: SigMF pairs, archives, collections, data of other formats; nothing is ever unpickled."""

from semwave.recording.collection import Collection, open_collection
from semwave.recording.edit import replace_annotations
from semwave.recording.errors import RecordingError, RecordingWarning
from semwave.recording.follow import follow
from semwave.recording.layout import Annotation, Capture, Mark
from semwave.recording.reader import Chunk, HashCheck, Recording, open_recording
from semwave.recording.recovery import Recovery, recover
from semwave.recording.rows import annotation_row
from semwave.recording.writer import Writer

__all__ = [
    "Annotation", "Capture", "Chunk", "Collection", "HashCheck", "Mark", "Recording", "RecordingError",
    "RecordingWarning", "Recovery", "Writer", "annotation_row", "follow", "open_collection", "open_recording",
    "recover", "replace_annotations",
]  # fmt: skip
