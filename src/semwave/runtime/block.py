"""Blocks: annotated names are parameters, ``In`` and ``Out`` are ports, ``work`` does the work.

Life of a block: construct (parameters are checked; cheap, no state) -> ``negotiate`` (specs of the edges) -> ``start``
(state, seeds, heavy imports) -> ``work`` ... -> ``finish`` (flush) -> ``stop`` (always called, also after an error).
"""

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from inspect import get_annotations
from typing import Annotated, Any, ClassVar, dataclass_transform

import numpy as np

from semwave.runtime.errors import ConnectError, ParameterError
from semwave.runtime.packet import ANY, Anything, Frames, Packet, Spec, Stream
from semwave.runtime.params import Param, checked, param_specs


class Port:
    """One end of an edge: what it carries, and whether it may stay unconnected."""

    def __init__(self, spec: Spec = ANY, *, optional: bool = False, doc: str = "") -> None:
        self.spec, self.optional, self.doc = spec, optional, doc
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.spec})"


class In(Port):
    """An input port."""


class Out(Port):
    """An output port."""


class Context:
    """What a running block may ask of its run: seeds, negotiated specs, counters, an early end."""

    def __init__(self, name: str, seed: int, inputs: dict[str, Spec], outputs: dict[str, Spec], chunk: int) -> None:
        self.name, self.seed, self.inputs, self.outputs, self.chunk = name, seed, inputs, outputs, chunk
        self.counters: dict[str, int] = {}
        self.warnings: list[str] = []
        self.facts: dict[str, Any] = {}
        self.finished = False
        self._stopping: Callable[[], bool] = lambda: False
        self._unwanted: Callable[[], bool] = lambda: False

    @property
    def stopping(self) -> bool:
        """True once the run is ending or nobody needs this block any more: a source that waits should return."""
        return self._stopping() or self._unwanted()

    def rng(self, *key: int) -> np.random.Generator:
        """A generator that depends on the graph's seed, this block's name and ``key`` only."""
        own = (
            zlib.crc32(self.name.encode()),
            *key,
        )  # as spawn key: [seed, crc, 0] would give the numbers of [seed, crc]
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=own))

    def torch_seed(self, packet: Packet) -> int:
        """A seed for one frame's torch generator, independent of batching."""
        return int(self.rng(packet.start).integers(0, 2**63 - 1))

    def count(self, what: str, n: int = 1) -> None:
        """Count something that the user should see (lost, dropped, repaired)."""
        if n:
            self.counters[what] = self.counters.get(what, 0) + int(n)

    def warn(self, text: str) -> None:
        """Say something once in the run's summary."""
        if text not in self.warnings:
            self.warnings.append(text)

    def finish(self) -> None:
        """This block wants no more input: its outputs end, and sources that nobody else needs stop."""
        self.finished = True


@dataclass_transform(kw_only_default=True)
class Block:
    """Base of all blocks. Subclass one of SyncBlock, FrameBlock, BatchBlock, Source or Composite."""

    heavy: ClassVar[bool] = False  # True: own thread, bounded queue at its inputs
    class_ports: ClassVar[dict[str, Port]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in get_annotations(cls):
            if isinstance(cls.__dict__.get(name), Port):
                raise TypeError(f"{cls.__name__}.{name} is a port: write {name} = ..., without an annotation")
            inherited = getattr(cls.__base__, name, None)
            if callable(inherited) or isinstance(inherited, property):
                raise TypeError(f"{cls.__name__}.{name} cannot be a parameter: blocks have a method of that name")
        doc = cls.__dict__.get("__doc__")
        dataclass(kw_only=True, eq=False)(cls)
        cls.__doc__ = doc  # dataclass would fill it with the signature
        own = {name: port for name, port in vars(cls).items() if isinstance(port, Port)}
        ports: dict[str, Port] = {}
        for base in reversed(cls.__mro__[1:]):
            ports |= vars(base).get("class_ports", {})
        cls.class_ports = ports | own

    def __post_init__(self) -> None:
        owner = type(self).__name__
        try:
            for name in param_specs(type(self)):
                setattr(self, name, checked(type(self), name, getattr(self, name)))
            self.check()
        except ParameterError as error:
            raise ParameterError(error.text, owner) from None
        except ValueError as error:
            raise ParameterError(str(error), owner) from error

    # ---- what a block may override -------------------------------------------------------------------------

    def check(self) -> None:
        """Refuse parameters that do not go together: raise ValueError saying which to change."""

    def negotiate(self, inputs: dict[str, Spec]) -> dict[str, Spec]:
        """What the output ports carry, given what arrives; raise ConnectError where that is impossible."""
        return default_outputs(self, inputs, Fraction(1))

    def start(self, ctx: Context) -> None:
        """Build the state of one run."""

    def finish(self) -> Iterable[Any]:
        """All inputs have ended: give back what is still held."""
        return ()

    def stop(self) -> None:
        """Let go of files, sockets, models; also called after an error."""

    def conclude(self, result: Any) -> None:
        """The run is over without an error: a last look at its :class:`~semwave.runtime.run.Result`, for reports."""

    def gathered(self, result: Any) -> None:
        """What all parts of a split run came to; called on a block that did not run in this process."""

    def summary(self) -> str:
        """What people should read after a run (a table, a path); empty for most blocks."""
        return ""

    def changed(self, names: set[str]) -> None:
        """Tunable parameters have new values (called between two calls of ``work``)."""

    # ---- what the runtime asks -----------------------------------------------------------------------------

    @property
    def ports(self) -> dict[str, Port]:
        """All ports by name."""
        return self.class_ports

    @property
    def inputs(self) -> dict[str, Port]:
        """The input ports by name."""
        return {n: p for n, p in self.ports.items() if isinstance(p, In)}

    @property
    def outputs(self) -> dict[str, Port]:
        """The output ports by name."""
        return {n: p for n, p in self.ports.items() if isinstance(p, Out)}

    def parameters(self) -> dict[str, Any]:
        """The parameters and their values; the class called with them gives an equal block."""
        return {name: getattr(self, name) for name in param_specs(type(self))}


def default_outputs(block: Block, inputs: dict[str, Spec], rate: Fraction) -> dict[str, Spec]:
    """Output specs as declared; ``Anything`` and an open dtype follow the first input, the sample rate follows
    ``rate``.
    """
    first = next(iter(inputs.values()), ANY)
    sample_rate = None if first.sample_rate is None else first.sample_rate * float(rate)
    outputs: dict[str, Spec] = {}
    for name, port in block.outputs.items():
        spec = port.spec
        declared = spec.sample_rate
        if isinstance(spec, Anything) or (
            spec.dtype is None and not isinstance(first, Anything) and isinstance(spec, type(first))
        ):
            spec = first
        if isinstance(spec, Stream) and isinstance(first, Stream):
            spec = replace(spec, sample_rate=sample_rate if declared is None else declared)
        outputs[name] = spec
    return outputs


class SyncBlock(Block):
    """``work`` maps arrays to arrays, ``rate()`` items out for each item in; all inputs advance together.

    The runtime calls ``work`` with whole multiples of the rate's denominator and of ``step()``, keeps the rest for the
    next call, rescales tags and checks the length of what comes back. Several outputs: give back a tuple, one array a
    port.
    """

    def rate(self) -> Fraction:
        """Items out for each item in."""
        return Fraction(1)

    def step(self) -> int:
        """``work`` gets whole multiples of this many items: for codes and transforms whose block is longer than the
        rate's denominator.
        """
        return 1

    def negotiate(self, inputs: dict[str, Spec]) -> dict[str, Spec]:
        """As declared; all inputs must have one sample rate."""
        rates = {s.sample_rate for s in inputs.values() if s.sample_rate is not None}
        if len(rates) > 1:
            seen = ", ".join(f"{n} at {s.sample_rate:g}/s" for n, s in inputs.items() if s.sample_rate is not None)
            raise ConnectError(f"inputs must have one sample rate: {seen}")
        return default_outputs(self, inputs, self.rate())

    def work(self, *args: Any, **kwargs: Any) -> Any:
        """``[n] -> [n * rate]`` for each port."""
        raise NotImplementedError(f"{type(self).__name__} has no work")


class FrameBlock(Block):
    """``work`` takes a packet and yields packets, any number of them.

    One output: yield packets. Several: yield ``(port, packet)``. Several inputs: all must be Frames; ``work`` gets one
    packet of each that is connected, in the order declared (``pairing = "zip"``), or is called as
    ``work(port, packet)`` as they come (``pairing = "any"``). The runtime numbers what is yielded: ``start`` and tags
    are shifted to the output's own count.
    """

    pairing: ClassVar[str] = "zip"

    def work(self, *args: Any, **kwargs: Any) -> Any:
        """``packet -> packets``."""
        raise NotImplementedError(f"{type(self).__name__} has no work")


class BatchBlock(Block):
    """``work`` takes a list of packets: neural models. Runs in a thread of its own, with a bounded queue before it.

    ``max_batch`` and ``max_wait_s``: take what is queued, wait at most this long for more. Results must not depend on
    them.
    """

    heavy: ClassVar[bool] = True
    max_batch: Annotated[int, Param("most packets in one call", unit="packets", low=1)] = 8
    max_wait_s: Annotated[float, Param("longest wait for more packets", unit="s", low=0)] = 0.0

    def at_once(self, packet: Packet) -> bool:
        """For sinks: whether ``work([packet])`` would be over in no time now. If this block has nothing to do, it is
        then called in the thread that gave the packet, because to wake another takes longer.
        """
        return False

    def work(self, batch: list[Packet], /) -> Iterator[Any]:
        """``packets -> packets``."""
        raise NotImplementedError(f"{type(self).__name__} has no work")


class Source(Block):
    """``packets`` yields what enters the graph; it may end or go on for ever."""

    def packets(self) -> Iterator[Any]:
        """Packets, numbered by the runtime."""
        raise NotImplementedError(f"{type(self).__name__} has no packets")

    def progress(self) -> tuple[float, float] | None:
        """How much is done, and of how much; None when nobody knows."""
        return None


def is_frames(spec: Spec) -> bool:
    """Whether packet borders mean something on an edge of this spec."""
    return isinstance(spec, Frames)


def misfit(block: Block, inputs: dict[str, Spec]) -> str | None:
    """What a block's kind does not allow its inputs to be, or None."""
    many = len(block.inputs) > 1
    kinds = (SyncBlock, FrameBlock, BatchBlock, Source)
    if not isinstance(block, kinds):
        return f"a block is one of {', '.join(k.__name__ for k in kinds)}"
    if isinstance(block, Source):
        return "a source has no inputs" if block.inputs else None
    if not inputs:
        return "none of its inputs is connected" if block.inputs else "it has no inputs; make it a Source"
    frames = [n for n, s in inputs.items() if isinstance(s, Frames)]
    if isinstance(block, SyncBlock) and frames:
        return f"{frames[0]} gets {inputs[frames[0]]}; a SyncBlock takes streams"
    if isinstance(block, BatchBlock) and many:
        return "a BatchBlock has one input"
    if isinstance(block, FrameBlock) and block.pairing == "zip" and len(frames) < len(inputs) > 1:
        loose = next(n for n in inputs if n not in frames)
        return f"{loose} gets {inputs[loose]}; inputs that are paired take frames"
    return None
