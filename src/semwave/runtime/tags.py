"""The tag vocabulary: one line each, named as in SigMF where SigMF has a name.

A tag marks one item of a stream. Blocks may pass on tags they do not know; they may not invent keys that mean
the same as one of these.
"""

VOCABULARY: dict[str, tuple[type, str, str]] = {
    # key: (type of the value, unit, meaning)
    "sample_rate": (float, "Hz", "rate from this item on (SigMF core:sample_rate)"),
    "frequency": (float, "Hz", "centre frequency from this item on (SigMF core:frequency)"),
    "datetime": (str, "ISO 8601", "time of this item (SigMF core:datetime)"),
    "frame": (int, "items", "a frame starts here and has this many items"),
    "modulation": (int, "points", "constellation size from this item on"),
    "header": (int, "symbols", "the frame's first symbols that are its header"),
    "snr_db": (float, "dB", "signal-to-noise ratio from this item on"),
    "lost": (int, "items", "this many items are missing before this one"),
    "label": (str, "", "short text for people (SigMF core:label)"),
}
