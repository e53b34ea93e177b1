"""The one file that holds a sweep's results: SQLite, write-ahead log, one writer, whole transactions.

A point is written once; a failed one is written over when it is computed again. What a crash loses is what was not
committed yet, and that is computed again: its key is not there.
"""

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from semwave.sweep.errors import SweepError
from semwave.sweep.values import canonical

FORMAT = 1
TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY, command TEXT NOT NULL, begun TEXT NOT NULL, ended TEXT, result TEXT,
    versions TEXT NOT NULL, hardware TEXT NOT NULL, sweeps TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS points (
    key TEXT PRIMARY KEY, sweep TEXT NOT NULL, task TEXT NOT NULL, version TEXT NOT NULL, params TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('ok', 'error')), reason TEXT, result TEXT, error TEXT,
    seconds REAL, attempts INTEGER NOT NULL, run INTEGER REFERENCES runs(id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pictures (sha256 TEXT PRIMARY KEY, media TEXT NOT NULL, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS shown (
    key TEXT NOT NULL REFERENCES points(key), kind TEXT NOT NULL, sha256 TEXT NOT NULL REFERENCES pictures(sha256),
    PRIMARY KEY (key, kind)) WITHOUT ROWID;
"""
POINT = """
INSERT INTO points (key, sweep, task, version, params, status, reason, result, error, seconds, attempts, run)
VALUES (:key, :sweep, :task, :version, :params, :status, :reason, :result, :error, :seconds, 1, :run)
ON CONFLICT (key) DO UPDATE SET status = excluded.status, reason = excluded.reason, result = excluded.result,
    error = excluded.error, seconds = excluded.seconds, attempts = points.attempts + 1, run = excluded.run
WHERE points.status = 'error'
"""


@dataclass(frozen=True)
class Row:
    """One point as it is stored."""

    key: str
    sweep: str
    task: str
    version: str
    params: dict[str, Any]
    status: str
    reason: str | None
    result: dict[str, Any]
    error: str | None
    seconds: float
    attempts: int
    run: int


class Store:
    """A store of results. ``write`` takes the writer's lock; without it the file is only read.

    Raises SweepError when the file is missing (to read), is no store, or is being written by another process.
    """

    def __init__(self, path: str | Path, *, write: bool = False) -> None:
        self.path = Path(path)
        self._lock: int | None = None
        if write:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._take_lock()
        elif not self.path.is_file():
            raise SweepError(f"no store {self.path}; 'semwave sweep FILE --store {self.path}' makes one")
        try:
            self._db = self._open(write)
        except sqlite3.DatabaseError as error:
            self._drop_lock()
            raise SweepError(f"{self.path} is no store of sweeps: {error}") from error
        except SweepError:
            self._drop_lock()
            raise

    def _open(self, write: bool) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        try:
            if write:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = NORMAL")
                db.executescript(TABLES)
                db.execute("INSERT OR IGNORE INTO facts VALUES ('format', ?)", (str(FORMAT),))
            found = db.execute("SELECT value FROM facts WHERE name = 'format'").fetchone()
            if found is None or found[0] != str(FORMAT):
                raise SweepError(f"{self.path} has format {found and found[0]}; this version reads {FORMAT}")
        except BaseException:
            db.close()
            raise
        return db

    def _take_lock(self) -> None:
        """A lock that the kernel drops with the process, however it ends."""
        self._lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._drop_lock()
            raise SweepError(f"another sweep is writing to {self.path}: wait for it, or use another --store") from error

    def _drop_lock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and drop the lock."""
        self._db.close()
        self._drop_lock()

    # ---- writing -------------------------------------------------------------------------------------------

    def begin_run(self, command: str, begun: str, versions: Any, hardware: Any, sweeps: Any) -> int:
        """Note who computes from now on; gives back the run's number."""
        row = (command, begun, canonical(versions), canonical(hardware), canonical(sweeps))
        sql = "INSERT INTO runs (command, begun, versions, hardware, sweeps) VALUES (?, ?, ?, ?, ?)"
        return int(self._db.execute(sql, row).lastrowid or 0)

    def end_run(self, run: int, ended: str, result: str) -> None:
        """Note how the run ended."""
        self._db.execute("UPDATE runs SET ended = ?, result = ? WHERE id = ?", (ended, result, run))

    def add(self, outcomes: Iterable[Mapping[str, Any]], run: int) -> None:
        """Write outcomes of points in one transaction; a point that is there and good stays as it is."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            for outcome in outcomes:
                self._add(outcome, run)

    def _add(self, outcome: Mapping[str, Any], run: int) -> None:
        row = {**outcome, "params": canonical(outcome["params"]), "run": run, "attempts": 1}
        row["result"] = json.dumps(outcome.get("result") or {}, sort_keys=True, allow_nan=False)
        for name in ("reason", "error", "seconds"):
            row.setdefault(name, None)
        names = ("key", "sweep", "task", "version", "params", "status", "reason", "result", "error", "seconds", "run")
        changed = self._db.execute(POINT, {k: row[k] for k in names}).rowcount
        if not changed:
            return
        self._db.execute("DELETE FROM shown WHERE key = ?", (outcome["key"],))
        for kind, (sha, media, data) in (outcome.get("pictures") or {}).items():
            self._db.execute("INSERT OR IGNORE INTO pictures VALUES (?, ?, ?)", (sha, media, data))
            self._db.execute("INSERT OR REPLACE INTO shown VALUES (?, ?, ?)", (outcome["key"], kind, sha))

    # ---- reading -------------------------------------------------------------------------------------------

    def done(self) -> set[str]:
        """Keys of the points that are there and good."""
        return {key for (key,) in self._db.execute("SELECT key FROM points WHERE status = 'ok'")}

    def failed(self) -> set[str]:
        """Keys of the points whose last attempt failed."""
        return {key for (key,) in self._db.execute("SELECT key FROM points WHERE status = 'error'")}

    def rows(self, sweep: str | None = None) -> Iterator[Row]:
        """The points, by key; of one sweep where it is named."""
        names = "key, sweep, task, version, params, status, reason, result, error, seconds, attempts, run"
        where, values = ("WHERE sweep = ?", (sweep,)) if sweep is not None else ("", ())
        for found in self._db.execute(f"SELECT {names} FROM points {where} ORDER BY key", values):
            row = list(found)
            row[4], row[7] = json.loads(row[4]), json.loads(row[7] or "{}")
            row[9] = row[9] or 0.0
            yield Row(*row)

    def runs(self) -> list[dict[str, Any]]:
        """Every run: command, times, versions, hardware."""
        names = ("id", "command", "begun", "ended", "result", "versions", "hardware", "sweeps")
        found = self._db.execute(f"SELECT {', '.join(names)} FROM runs ORDER BY id")
        parsed = ("versions", "hardware", "sweeps")
        return [{n: json.loads(v) if n in parsed else v for n, v in zip(names, row, strict=True)} for row in found]

    def pictures(self, key: str) -> dict[str, tuple[str, bytes]]:
        """Pictures kept of a point by kind: media type and bytes."""
        sql = "SELECT kind, media, data FROM shown JOIN pictures USING (sha256) WHERE key = ? ORDER BY kind"
        return {kind: (media, data) for kind, media, data in self._db.execute(sql, (key,))}

    def table(self) -> list[tuple[Any, ...]]:
        """What the sweep found, and nothing of how: equal for equal sweeps whoever computed them, in whatever order."""
        sql = "SELECT key, sweep, task, version, params, status, reason, result, error FROM points ORDER BY key"
        shown = "SELECT key, kind, sha256 FROM shown ORDER BY key, kind"
        with closing(self._db.execute(sql)) as points, closing(self._db.execute(shown)) as pictures:
            return [*points.fetchall(), *pictures.fetchall()]

    def seconds_by_group(self) -> dict[str, tuple[int, float]]:
        """Points and mean seconds of what is there, by sweep and scheme (or flowgraph): for estimates."""
        sql = """SELECT sweep || '/' || coalesce(json_extract(params, '$.scheme'), ''), count(*), avg(seconds)
                 FROM points WHERE status = 'ok' GROUP BY 1"""
        return {group: (n, mean or 0.0) for group, n, mean in self._db.execute(sql)}

    def _repr_html_(self) -> str:
        from semwave.bench.report.notebook import summary_html

        return summary_html(self)
