"""Recordings in and out: SigMF pairs, archives, collections, data of other formats; nothing is ever unpickled."""

from semwave.recording.collection import Collection, open_collection
from semwave.recording.errors import RecordingError, RecordingWarning
from semwave.recording.layout import Annotation, Capture, Mark
from semwave.recording.reader import Chunk, HashCheck, Recording, open_recording

__all__ = [
    "Annotation", "Capture", "Chunk", "Collection", "HashCheck", "Mark", "Recording", "RecordingError",
    "RecordingWarning", "open_collection", "open_recording",
]  # fmt: skip
