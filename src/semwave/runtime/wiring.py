"""From a plan to runners, groups, queues and links: what a run, or one part of it, is made of."""

from functools import partial
from pathlib import Path
from typing import Any

from semwave.runtime.address import check_address, is_local
from semwave.runtime.block import Context, Source
from semwave.runtime.ends import LinkFacts
from semwave.runtime.errors import ConnectError
from semwave.runtime.frames import BatchRunner
from semwave.runtime.gossip import Gossip
from semwave.runtime.graph import Flowgraph
from semwave.runtime.group import Group, assign, make_runner
from semwave.runtime.inlet import Inlet
from semwave.runtime.keys import LinkKeys, link_keys
from semwave.runtime.link import Line, Postman
from semwave.runtime.outlet import Outlet
from semwave.runtime.place import LinkEntry, probed
from semwave.runtime.plan import Edge, Plan
from semwave.runtime.room import Queue, Room
from semwave.runtime.runner import Runner
from semwave.runtime.tap import Tap

MAX_MESSAGE_BYTES = 256 << 20


class Wiring:
    """Builds the machinery of one run; ``part`` None is the whole graph."""

    def __init__(self, graph: Flowgraph, plan: Plan, room: Room, part: str | None, options: "LinkOptions") -> None:
        self.graph, self.plan, self.room, self.part, self.options = graph, plan, room, part, options
        self.layout = graph.placement.layout(plan)
        self.runners: dict[str, Runner] = {}
        self.groups: dict[int, Group] = {}
        self.warnings: list[str] = []
        self.postman: Postman | None = None
        if part is not None:
            self._check_part(part)
        self.blocks = {n: b for n, b in plan.blocks.items() if part is None or self.layout.where[n] == part}
        self.crossing = self.layout.touching(part) if part is not None else {}

    def _check_part(self, part: str) -> None:
        if part not in self.layout.parts:
            raise ConnectError(f"no part {part!r}; [place] has {', '.join(self.layout.parts) or 'none'}")
        missing = self.layout.unlinked(part)
        if missing:
            raise ConnectError(
                f"part {part} needs an address for every edge to another part, and [links] has none for "
                f"{'; '.join(missing)} (--split finds addresses by itself, on one machine)"
            )

    # ---- runners and groups --------------------------------------------------------------------------------

    def build(self, threads: bool, chunk: int, recut: Any) -> None:
        """Make everything; raises ConnectError."""
        for name in self.blocks:
            self.runners[name] = self._runner(name, chunk, recut)
        edges = [e for e in self.plan.edges if str(e) not in self.crossing and e.source in self.blocks]
        fed = {e.target for e in self.crossing.values()}
        where = assign(Plan(self.blocks, edges, self.plan.inputs, self.plan.outputs), threads, fed)
        members: dict[int, list[Runner]] = {}
        for name, number in where.items():
            members.setdefault(number, []).append(self.runners[name])
        self.groups = {number: Group(self.room, runners) for number, runners in members.items()}
        for runner in self.runners.values():
            if isinstance(runner.block, Source):
                self.groups[where[runner.name]].entries.append(runner)  # type: ignore[arg-type]
        for e in self.plan.edges:
            if str(e) in self.crossing:
                self._link(e, where)
            elif e.source in self.blocks:
                self._edge(e, self.groups[where[e.source]], self.groups[where[e.target]])
        self._probes()
        for runner in self.runners.values():
            runner.wired()
        for group in self.groups.values():
            group.find_joins()
        self.room.groups = list(self.groups.values())

    def _runner(self, name: str, chunk: int, recut: Any) -> Runner:
        plan, room, block = self.plan, self.room, self.blocks[name]
        used = {e.out for e in plan.edges if e.source == name}
        outputs = {n: s for n, s in plan.outputs[name].items() if n in used}
        ctx = Context(name, self.graph.seed, plan.inputs[name], outputs, chunk)
        ctx._stopping = lambda: room.stopping or room.aborted
        try:
            runner = make_runner(name, block, ctx)
        except Exception as error:
            raise ConnectError(f"in {name} ({type(block).__name__}), rate: {error!r}") from error
        runner.recut = recut
        ctx._unwanted = runner.unwanted
        return runner

    def _edge(self, e: Edge, giver: Group, taker: Group) -> None:
        a, b = self.runners[e.source], self.runners[e.target]
        port = b.in_names.index(e.into)
        a.live += 1
        if giver is taker:
            a.consumers[a.out_names.index(e.out)].append((b, port))
            b.producers[port] = a
        else:
            queue = Queue(self.room, a, giver, b, port)
            a.consumers[a.out_names.index(e.out)].append((queue, 0))
            b.producers[port] = queue
            taker.entries.append(queue)
            if isinstance(b, BatchRunner) and not b.out_names and len(taker.runners) == len(b.in_names) == 1:
                queue.lender = partial(taker.lend, b)

    # ---- links ---------------------------------------------------------------------------------------------

    def _post(self) -> Postman:
        """The thread for links and taps; made when the first of them is."""
        if self.postman is None:
            parts = self.layout.parts or [""]
            gossip = Gossip(self.part or "", parts)
            self.postman = Postman(self.room, gossip, self.options.stop, self.options.max_bytes)
        return self.postman

    def _link(self, e: Edge, where: dict[str, int]) -> None:
        post, layout, sends = self._post(), self.layout, e.source in self.blocks
        entry = layout.links[str(e)]
        here, there = layout.where[e.source], layout.where[e.target]
        keys = self._keys(entry, here, there, sends)
        spec = layout.specs[str(e)]
        names = (here, there) if sends else (there, here)
        options = self.options
        facts = LinkFacts(str(e), entry.address, *names, spec, options.deadline_s, keys is not None, options.max_bytes)
        self._check_remote(facts, entry, sends)
        if sends:
            a = self.runners[e.source]
            outlet = Outlet(self.room, a, self.groups[where[e.source]], facts, post.wake)
            a.live += 1
            a.consumers[a.out_names.index(e.out)].append((outlet, 0))
            post.lines.append(Line(outlet, keys))
        else:
            b, group = self.runners[e.target], self.groups[where[e.target]]
            port = b.in_names.index(e.into)
            inlet = Inlet(self.room, group, b, port, facts, post.wake)
            b.producers[port] = inlet
            group.entries.append(inlet)
            post.lines.append(Line(inlet, keys))

    def _keys(self, entry: LinkEntry, sender: str, receiver: str, sends: bool) -> LinkKeys | None:
        """The keys of a link: its own, or those of the two parts."""
        by_part = self.graph.placement.keys
        if entry.server_key:
            client, server = Path(entry.client_key), Path(entry.server_key)
        elif sender in by_part and receiver in by_part:
            client, server = by_part[sender], by_part[receiver]
        elif sender in by_part or receiver in by_part:
            lacking = receiver if sender in by_part else sender
            raise ConnectError(f"security: part {lacking} has no key file, and its peers' links are encrypted")
        else:
            return None
        return link_keys(client, server) if sends else link_keys(server, client)

    def _check_remote(self, facts: LinkFacts, entry: LinkEntry, sends: bool) -> None:
        """Listening where other machines can reach must be asked for."""
        if is_local(entry.address):
            return
        if not (sends or entry.allow_remote or self.options.allow_remote):
            raise ConnectError(
                f"{facts} would listen beyond this machine; where that is meant, say allow_remote = true in [links], "
                "or --allow-remote"
            )
        if not facts.secured:
            self.warnings.append(f"{facts} is neither encrypted nor authenticated; 'semwave keys' makes keys")

    # ---- probes --------------------------------------------------------------------------------------------

    def _probes(self) -> None:
        for port, address in {**self.graph.placement.probes, **self.options.probes}.items():
            block, out = probed(self.plan, port)
            if block not in self.blocks:
                continue
            if not (is_local(address) or self.options.allow_remote):
                raise ConnectError(f"probe {port} ({address}) would publish beyond this machine; say --allow-remote")
            runner = self.runners[block]
            tap = Tap(f"{block}.{out}", address, self._post().wake)
            runner.consumers[runner.out_names.index(out)].append((tap, 0))
            self._post().taps.append(tap)


class LinkOptions:
    """What a run is told about its links, checked."""

    def __init__(self, stop: Any, deadline_s: float, allow_remote: bool, probes: dict[str, str] | None, max_bytes: int):
        self.stop, self.deadline_s, self.allow_remote = stop, deadline_s, allow_remote
        self.max_bytes = max_bytes
        self.probes = {port: check_address(a, f"probe {port}") for port, a in (probes or {}).items()}
        for name, value in (("deadline_s", deadline_s), ("max_message_bytes", max_bytes)):
            if not value > 0:
                raise ConnectError(f"{name} must be above 0, not {value}")
