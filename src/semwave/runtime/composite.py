"""Hierarchical blocks: a flowgraph used as a block."""

from semwave.runtime.block import Block, Context, In, Out, Port
from semwave.runtime.errors import BlockError
from semwave.runtime.graph import Flowgraph


class Composite(Block):
    """Declare parameters and ports as for any block; ``build`` fills an inner graph and exposes its ports under their
    names.

    >>> class Loop(Composite):
    ...     snr_db: float = 8.0
    ...     samples = In(Stream(np.complex64))
    ...     received = Out(Stream(np.complex64))
    ...     def build(self, inner):
    ...         inner.add(a=Copy(), b=Awgn(snr_db=self.snr_db)).connect("a > b")
    ...         inner.expose(samples="a.items", received="b.received")      # doctest: +SKIP
    """

    def build(self, inner: Flowgraph) -> None:
        """Add blocks to ``inner``, connect them, expose their ports."""
        raise NotImplementedError(f"{type(self).__name__} has no build")

    def opened(self) -> Flowgraph:
        """The inner graph."""
        inner = Flowgraph(name=type(self).__name__)
        self.build(inner)
        return inner

    def start(self, ctx: Context) -> None:
        """Never called: the runtime runs what is inside."""
        raise BlockError(f"{type(self).__name__} is opened before a run, not run itself")


class GraphBlock(Composite):
    """A ready flowgraph as a block; made by :meth:`Flowgraph.as_block` and by ``use = "file.toml"``."""

    def __post_init__(self) -> None:
        self._graph: Flowgraph | None = None
        super().__post_init__()

    @classmethod
    def of(cls, graph: Flowgraph) -> "GraphBlock":
        """Wrap ``graph``."""
        block = cls()
        block._graph = graph
        return block

    @property
    def ports(self) -> dict[str, Port]:
        """The ports that the inner graph exposes."""
        return {name: self._port(name) for name in (self._graph.exposed if self._graph else ())}

    def _port(self, name: str) -> Port:
        assert self._graph is not None
        block, port = self._graph.exposed[name][0]
        inner = self._graph.blocks[block].ports[port]
        made: Port = (In if isinstance(inner, In) else Out)(inner.spec, optional=inner.optional, doc=inner.doc)
        made.name = name
        return made

    def opened(self) -> Flowgraph:
        """The graph that was wrapped."""
        assert self._graph is not None
        return self._graph
