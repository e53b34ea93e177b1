"""The scene on the air: a header that says all, and layers that stand alone, each with its own protection."""

from semwave.modulation.scene.codecs import (
    KEY_IMAGE,
    KEY_JSCC,
    KEY_WHOLE,
    jscc_coarse,
    jscc_codec,
    jscc_constellation,
)
from semwave.modulation.scene.header import (
    HEADER_SYMBOLS,
    LAYERS,
    LayerEntry,
    SceneHeader,
    decode_header,
    encode_header,
    pack_header,
    unpack_header,
)
from semwave.modulation.scene.layers import (
    Segment,
    capacity,
    coded_bits,
    coded_symbols,
    decode_layer,
    encode_layer,
    payload_symbols,
    segments,
)

__all__ = [
    "HEADER_SYMBOLS",
    "KEY_IMAGE",
    "KEY_JSCC",
    "KEY_WHOLE",
    "LAYERS",
    "LayerEntry",
    "SceneHeader",
    "Segment",
    "capacity",
    "coded_bits",
    "coded_symbols",
    "decode_header",
    "decode_layer",
    "encode_header",
    "encode_layer",
    "jscc_coarse",
    "jscc_codec",
    "jscc_constellation",
    "pack_header",
    "payload_symbols",
    "segments",
    "unpack_header",
]
