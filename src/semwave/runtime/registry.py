"""Blocks by name, as ``"module:Class"`` strings, so that looking a name up imports only what is used.

Other packages add theirs with an entry point in the group ``semwave.blocks``.
"""

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from semwave.runtime.block import Block
from semwave.runtime.errors import ConnectError
from semwave.runtime.params import unknown

_M = "semwave.blocks."
BLOCKS: dict[str, str] = {
    "NullSource": _M + "basic:NullSource",
    "VectorSource": _M + "basic:VectorSource",
    "RandomBits": _M + "basic:RandomBits",
    "Copy": _M + "basic:Copy",
    "MultiplyConst": _M + "basic:MultiplyConst",
    "Add": _M + "basic:Add",
    "Head": _M + "basic:Head",
    "NullSink": _M + "basic:NullSink",
    "NullFrameSink": _M + "basic:NullFrameSink",
    "VectorSink": _M + "basic:VectorSink",
    "ImageSource": _M + "io:ImageSource",
    "ImageSink": _M + "io:ImageSink",
    "VideoSource": _M + "video:VideoSource",
    "PromptRecall": _M + "video:PromptRecall",
    "VideoSink": _M + "video:VideoSink",
    "Segmenter": _M + "segment:Segmenter",
    "SemanticEncoder": _M + "semantic:SemanticEncoder",
    "TextEncoder": _M + "text:TextEncoder",
    "SketchEncoder": _M + "text:SketchEncoder",
    "Framer": _M + "framing:Framer",
    "Deframer": _M + "framing:Deframer",
    "QamMapper": _M + "modem:QamMapper",
    "OfdmModulator": _M + "modem:OfdmModulator",
    "OfdmDemodulator": _M + "modem:OfdmDemodulator",
    "ChannelEncoder": _M + "coding:ChannelEncoder",
    "ChannelDecoder": _M + "coding:ChannelDecoder",
    "QamDemapper": _M + "coding:QamDemapper",
    "HardDecision": _M + "coding:HardDecision",
    "ConstellationMapper": _M + "constellation:ConstellationMapper",
    "ConstellationDemapper": _M + "constellation:ConstellationDemapper",
    "MimoOfdmModulator": _M + "mimo:MimoOfdmModulator",
    "MimoOfdmDemodulator": _M + "mimo:MimoOfdmDemodulator",
    "MimoFadingChannel": _M + "mimo:MimoFadingChannel",
    "TransportEncoder": _M + "harq:TransportEncoder",
    "TransportDecoder": _M + "harq:TransportDecoder",
    "Scrambler": _M + "coding:Scrambler",
    "Interleaver": _M + "coding:Interleaver",
    "CrcAppender": _M + "coding:CrcAppender",
    "CrcChecker": _M + "coding:CrcChecker",
    "ErrorCounter": _M + "measure:ErrorCounter",
    "EvmMeter": _M + "measure:EvmMeter",
    "GmiMeter": _M + "measure:GmiMeter",
    "CarrierOffset": _M + "impairments:CarrierOffset",
    "TimingOffset": _M + "impairments:TimingOffset",
    "SampleClockOffset": _M + "impairments:SampleClockOffset",
    "PhaseNoise": _M + "impairments:PhaseNoise",
    "IqImbalance": _M + "impairments:IqImbalance",
    "DcOffset": _M + "impairments:DcOffset",
    "PowerAmplifier": _M + "impairments:PowerAmplifier",
    "Quantizer": _M + "impairments:Quantizer",
    "Clipper": _M + "impairments:Clipper",
    "BlockFading": _M + "impairments:BlockFading",
    "Shadowing": _M + "impairments:Shadowing",
    "AwgnChannel": _M + "channel:AwgnChannel",
    "FadingChannel": _M + "channel:FadingChannel",
    "GenerativeDecoder": _M + "generate:GenerativeDecoder",
    "Score": _M + "score:Score",
    "ConventionalEncoder": _M + "conventional:ConventionalEncoder",
    "ConventionalDecoder": _M + "conventional:ConventionalDecoder",
    "OfdmLink": _M + "conventional:OfdmLink",
    "LinkAdapter": _M + "adaptation:LinkAdapter",
    "GrOfdmTransmitter": _M + "gnuradio_ofdm:GrOfdmTransmitter",
    "GrOfdmReceiver": _M + "gnuradio_ofdm:GrOfdmReceiver",
    "Ieee80211Receiver": _M + "wifi:Ieee80211Receiver",
    "Ieee80211Transmitter": _M + "wifi:Ieee80211Transmitter",
    "SigMFSource": _M + "sigmf:SigMFSource",
    "SigMFSink": _M + "sigmf:SigMFSink",
    "CaptureInterferer": _M + "capture:CaptureInterferer",
    "MeasuredChannel": _M + "capture:MeasuredChannel",
    "GrZmqSource": _M + "gnuradio_zmq:GrZmqSource",
    "GrZmqSink": _M + "gnuradio_zmq:GrZmqSink",
    "GrPduSource": _M + "gnuradio_zmq:GrPduSource",
    "GrPduSink": _M + "gnuradio_zmq:GrPduSink",
}


@cache
def outside() -> dict[str, str]:
    """Blocks that installed packages announce."""
    return {e.name: e.value for e in entry_points(group="semwave.blocks")}


def names() -> list[str]:
    """All block names, sorted."""
    return sorted({**outside(), **BLOCKS})


def block_class(name: str) -> type[Block]:
    """The class called ``name``; raises ConnectError with the nearest name, or when its module cannot be imported."""
    where = BLOCKS.get(name) or outside().get(name)
    if where is None:
        raise ConnectError(unknown(name, dict.fromkeys(names()), "block class").replace("it takes", "there are"))
    module, _, attribute = where.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except ImportError as error:
        raise ConnectError(f"block class {name} cannot be imported from {module}: {error}") from error
    except AttributeError:
        raise ConnectError(f"block class {name}: {module} has no {attribute}") from None
    if not (isinstance(found, type) and issubclass(found, Block)):
        raise ConnectError(f"block class {name}: {where} is not a Block")
    return found
