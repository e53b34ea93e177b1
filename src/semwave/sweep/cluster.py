"""Where points are computed: in this process, or on a Dask cluster, a local one or the user's.

An executor takes batches of points with ``submit`` and gives outcomes back with ``collect``, in any order.
"""

import contextlib
import logging
import os
import signal
from collections import deque
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import TracebackType
from typing import Any, Protocol, Self

from semwave.sweep.errors import SweepError
from semwave.sweep.plan import Point
from semwave.sweep.tasks import described, run_points

Outcomes = list[dict[str, Any]]
PATIENCE_S = 30  # for a busy machine to answer
ALLOWED_DEATHS = 3  # workers that may die with a batch before its points count as failed
ONE_THREAD = {f"{n}_NUM_THREADS": "1" for n in ("OMP", "MKL", "OPENBLAS", "NUMBA")}


class Executor(Protocol):
    """What the runner works with."""

    workers: int

    def submit(self, batch: Sequence[Point]) -> None:
        """Have these points computed."""

    def collect(self, timeout_s: float) -> Outcomes:
        """What has been computed, waiting for some at most ``timeout_s``; may be empty."""

    def drop(self) -> None:
        """Forget what has not been computed."""

    def close(self) -> None:
        """Let go of processes and sockets."""


class Here:
    """Every point in this process, one after the other."""

    workers = 1

    def __init__(self) -> None:
        self._waiting: deque[Point] = deque()

    def submit(self, batch: Sequence[Point]) -> None:
        """Keep it for later."""
        self._waiting.extend(batch)

    def collect(self, timeout_s: float) -> Outcomes:
        """Compute the next point."""
        return run_points([self._waiting.popleft().as_dict()]) if self._waiting else []

    def drop(self) -> None:
        """Forget what waits."""
        self._waiting.clear()

    def close(self) -> None:
        """Nothing to let go of."""


class OnDask:
    """Batches as tasks of a Dask scheduler; without an address, of a cluster of this machine's that is heard on the
    loopback interface alone.
    """

    def __init__(self, workers: int, scheduler: str | None = None, dashboard: str | None = None) -> None:
        dask, distributed = _dask()
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        dask.config.set({
            "distributed.scheduler.allowed-failures": ALLOWED_DEATHS,
            "distributed.nanny.pre-spawn-environ": ONE_THREAD,
            "distributed.worker.profile.enabled": False,
            "distributed.comm.timeouts.connect": f"{PATIENCE_S}s",
            **({} if dashboard else {f"distributed.{who}.http.routes": [] for who in ("scheduler", "worker")}),
        })  # fmt: skip
        self._cluster = None if scheduler else _local(workers, dashboard)
        try:
            self._client = distributed.Client(scheduler or self._cluster, timeout=PATIENCE_S, set_as_default=False)
        except OSError as error:
            raise SweepError(f"no Dask scheduler answers at {scheduler}: {error}") from error
        if self._cluster is not None:
            self._client.register_plugin(_deaf(), name="semwave-deaf")
        self._given = workers
        self._batches: dict[str, Sequence[Point]] = {}
        self._number = 0
        self._done = distributed.as_completed([], with_results=True, raise_errors=False, loop=self._client.loop)
        self._futures: dict[str, Any] = {}

    @property
    def workers(self) -> int:
        """Threads of all workers now."""
        return sum(self._client.nthreads().values()) if self._cluster is None else self._given

    def pids(self) -> list[int]:
        """Process numbers of the local workers: for tests that kill them."""
        return list(self._client.run(os.getpid).values())

    def submit(self, batch: Sequence[Point]) -> None:
        """One task for the batch."""
        self._number += 1
        key = f"semwave-{batch[0].key[:12]}-{self._number}"
        future = self._client.submit(run_points, [p.as_dict() for p in batch], key=key, pure=False)
        self._batches[key], self._futures[key] = batch, future
        self._done.add(future)

    def collect(self, timeout_s: float) -> Outcomes:
        """Whatever is ready; a batch whose workers keep dying is tried point by point, then given up."""
        if not self._done.has_ready():
            with self._done.thread_condition:
                self._done.thread_condition.wait(timeout_s)
        if not self._done.has_ready():
            if self._client.status != "running":
                raise SweepError("the Dask scheduler went away")
            return []
        found: Outcomes = []
        for future, result in self._done.next_batch(block=False):
            batch = self._batches.pop(future.key, None)
            self._futures.pop(future.key, None)
            if batch is not None:
                found += result if future.status == "finished" else self._lost(batch, result)
        return found

    def _lost(self, batch: Sequence[Point], result: Any) -> Outcomes:
        if len(batch) > 1:
            for point in batch:
                self.submit([point])
            return []
        error = result[1] if isinstance(result, tuple) else result
        if not isinstance(error, BaseException):
            error = SweepError(f"the task was {error}")
        return [failed(batch[0], described(error).partition(".  ")[0])]

    def drop(self) -> None:
        """Cancel what is on its way."""
        self._client.cancel(list(self._futures.values()), force=True)
        self._batches.clear()
        self._futures.clear()

    def close(self) -> None:
        """Leave the scheduler; end the local cluster."""
        for end in (self._client, self._cluster):
            with contextlib.suppress(TimeoutError, OSError):  # all results are stored; processes end with this one
                if end is not None:
                    end.close(timeout=PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _dask() -> tuple[Any, Any]:
    """dask and distributed, which have few types."""
    return import_module("dask"), import_module("distributed")


def _local(workers: int, dashboard: str | None) -> Any:
    return _dask()[1].LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1", memory_limit=0,
        dashboard_address=dashboard or "127.0.0.1:0", scheduler_kwargs={"dashboard": bool(dashboard)},
        worker_dashboard_address=None, silence_logs=logging.CRITICAL,
    )  # fmt: skip


def _deaf() -> Any:
    """Workers do not hear Ctrl-C, which a terminal sends to all processes: the client decides what it means."""
    base: Any = _dask()[1].WorkerPlugin

    class Deaf(base):  # type: ignore[misc]
        def setup(self, worker: Any) -> None:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    return Deaf()


def failed(point: Point, error: str) -> dict[str, Any]:
    """The outcome of a point that never came back."""
    about: Mapping[str, Any] = point.as_dict()
    names = ("key", "sweep", "task", "params", "version")
    return {**{k: about[k] for k in names}, "status": "error", "error": error, "seconds": 0.0}
