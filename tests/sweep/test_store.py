"""One file, one writer; a good point is never written over, a failed one is."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from semwave.sweep.errors import SweepError
from semwave.sweep.store import Store


def outcome(key: str, status: str = "ok", **more: Any) -> dict[str, Any]:
    about = {"key": key, "sweep": "s", "task": "call", "version": "1", "params": {"x": key}, "status": status}
    return {**about, "reason": "done", "result": {"value": 1.5}, "error": None, "seconds": 0.5, **more}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "a.sqlite", write=True) as opened:
        yield opened


def test_a_good_point_stays_and_a_failed_one_is_written_over(store: Store) -> None:
    run = store.begin_run("semwave sweep", "2026-01-01", {"semwave": "0"}, {"cpu": "x"}, ["s"])
    store.add([outcome("a"), outcome("b", "error", error="RuntimeError: no", result=None)], run)
    assert (store.done(), store.failed()) == ({"a"}, {"b"})
    again = store.begin_run("semwave sweep", "2026-01-02", {"semwave": "0"}, {"cpu": "x"}, ["s"])
    store.add([outcome("a", result={"value": 9.0}), outcome("b")], again)
    rows = {r.key: r for r in store.rows()}
    assert store.done() == {"a", "b"}
    assert (rows["a"].result, rows["a"].attempts, rows["a"].run) == ({"value": 1.5}, 1, run)
    assert (rows["b"].result, rows["b"].attempts, rows["b"].run) == ({"value": 1.5}, 2, again)
    assert [r["command"] for r in store.runs()] == ["semwave sweep"] * 2
    assert store.seconds_by_group() == {"s/": (2, 0.5)}


def test_the_table_does_not_know_who_computed_it_and_when(tmp_path: Path) -> None:
    tables = []
    for name, order, seconds in (("one", "ab", 0.1), ("two", "ba", 9.0)):
        with Store(tmp_path / name, write=True) as store:
            run = store.begin_run(name, name, {}, {}, [])
            for key in order:
                store.add([outcome(key, seconds=seconds)], run)
            tables.append(store.table())
    assert tables[0] == tables[1]


def test_pictures_are_kept_once(store: Store) -> None:
    picture = ("0" * 64, "image/webp", b"same")
    run = store.begin_run("c", "t", {}, {}, [])
    store.add([outcome("a", pictures={"original": picture}), outcome("b", pictures={"original": picture})], run)
    assert store.pictures("a") == store.pictures("b") == {"original": ("image/webp", b"same")}
    with sqlite3.connect(store.path) as db:
        assert db.execute("SELECT count(*) FROM pictures").fetchone() == (1,)


def test_a_failure_within_a_transaction_leaves_nothing(store: Store) -> None:
    with pytest.raises(ValueError, match="JSON"):
        store.add([outcome("a"), outcome("b", result={"value": float("nan")})], 1)
    assert store.done() == set()


def test_one_writer_and_any_number_of_readers(store: Store) -> None:
    with pytest.raises(SweepError, match="another sweep is writing to"):
        Store(store.path, write=True)
    store.add([outcome("a")], 1)
    with Store(store.path) as reader:
        assert reader.done() == {"a"}


def test_files_that_are_no_store(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match=r"no store .*missing"):
        Store(tmp_path / "missing.sqlite")
    file = tmp_path / "text"
    file.write_text("not a database, and long enough to be looked at as one" * 40, encoding="utf-8")
    with pytest.raises(SweepError, match="is no store of sweeps"):
        Store(file)
    with sqlite3.connect(tmp_path / "old") as db:
        db.execute("CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT)")
        db.execute("INSERT INTO facts VALUES ('format', '99')")
    with pytest.raises(SweepError, match="has format 99; this version reads 1"):
        Store(tmp_path / "old")
