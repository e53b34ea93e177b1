"""The runtime: packets, blocks, flowgraphs, runs."""

from semwave.runtime.block import BatchBlock, Block, Context, FrameBlock, In, Out, Source, SyncBlock
from semwave.runtime.composite import Composite
from semwave.runtime.cutter import Cutter
from semwave.runtime.errors import (
    BlockError,
    ConnectError,
    FlowgraphError,
    GraphFileError,
    LinkError,
    ParameterError,
    PortError,
    UserError,
)
from semwave.runtime.graph import Flowgraph
from semwave.runtime.packet import ANY, Array, Frames, Packet, Stream, Tag, frozen, text_of, text_packet
from semwave.runtime.params import Param
from semwave.runtime.run import Result, Run

__all__ = [
    "ANY", "Array", "BatchBlock", "Block", "BlockError", "Composite", "ConnectError", "Context", "Cutter", "Flowgraph",
    "FlowgraphError", "FrameBlock", "Frames", "GraphFileError", "In", "LinkError", "Out", "Packet", "Param",
    "ParameterError", "PortError", "Result", "Run", "Source", "Stream", "SyncBlock", "Tag", "UserError", "frozen",
    "text_of", "text_packet",
]  # fmt: skip
