"""Colours, tables, numbers for people, the progress line."""

import io
import sys
import time

import pytest

from semwave.commands import _progress
from semwave.commands._json import plain
from semwave.commands._progress import Progress
from semwave.commands._terminal import duration, paint, shorten, size, table


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def plain_environment(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_colours_on_a_terminal_only(plain_environment, monkeypatch):
    assert paint("x", "red", Terminal()) == "\x1b[31;1mx\x1b[0m"
    assert paint("x", "red", io.StringIO()) == "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert paint("x", "red", Terminal()) == "x"
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert paint("x", "red", Terminal()) == "x"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0421, "0.042 s"), (1.26, "1.3 s"), (9.99, "10.0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (7500, "2 h 5 min")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (25.3e9, "25.3 GB"), (5e15, "5000 TB")],
)
def test_sizes(count, text):
    assert size(count) == text


def test_tables_align():
    assert table([["a", "1"], ["long", "22"]], right=[1]) == ["a      1", "long  22"]
    assert table([]) == []


def test_shorten():
    assert (shorten("abc", 3), shorten("abcd", 3)) == ("abc", "ab…")


def test_json_types():
    assert plain({1: (float("inf"), 2, None, True)}) == {"1": [None, 2, None, True]}
    assert plain(complex(1, 2)) == "(1+2j)"


class Half:
    def __init__(self, done):
        self.done = done

    def progress(self):
        if isinstance(self.done, Exception):
            raise self.done
        return self.done


@pytest.mark.parametrize(
    ("done", "line"),
    [
        ((5, 10), "running [############............]  50 %  10 s, 10 s left"),
        ((10, 10), "finishing  10 s"),
        ((20, 10), "finishing  10 s"),
        ((0, 10), "running [........................]   0 %  10 s"),
        ((1, 0), "running  10 s"),
        (None, "running  10 s"),
        (RuntimeError("not yet"), "running  10 s"),
    ],
)
def test_progress_line(done, line):
    progress = Progress()
    progress.begun_at = time.monotonic() - 10
    progress.run = Half(done)
    assert progress.line() == line


def test_progress_before_there_is_a_run():
    assert Progress().line().startswith("starting  ")


def test_progress_is_drawn_on_a_terminal_and_cleared(plain_environment, monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(_progress, "INTERVAL_S", 0.01)
    with Progress() as progress:
        progress.run = Half((1, 2))
        until = time.monotonic() + 10
        while "50 %" not in screen.getvalue() and time.monotonic() < until:
            time.sleep(0.01)
    assert "\r\x1b[Krunning [####" in screen.getvalue()
    assert screen.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize(("screen", "wanted"), [(io.StringIO(), True), (Terminal(), False)])
def test_no_progress_where_nobody_looks(plain_environment, monkeypatch, screen, wanted):
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(_progress, "INTERVAL_S", 0.001)
    with Progress(wanted=wanted):
        time.sleep(0.05)
    assert screen.getvalue() == ""
