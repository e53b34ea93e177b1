"""What can go wrong with a recording: one exception and one warning, whose texts are meant for the user."""


class RecordingError(ValueError):
    """A recording that cannot be opened, read or written; the text names the file and says what is wrong."""


class RecordingWarning(UserWarning):
    """A recording that can be read, but not all of it is as its metadata say."""
