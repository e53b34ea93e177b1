"""Positions in a recording as people write them: samples, "2.5s", ISO times."""

import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction

_UNITS = {"s": Fraction(1), "ms": Fraction(1, 10**3), "us": Fraction(1, 10**6), "ns": Fraction(1, 10**9)}
_UNITS |= {"µs": Fraction(1, 10**6), "min": Fraction(60), "h": Fraction(3600)}
_DURATION = re.compile(r"(?P<sign>[+-]?)(?P<number>\d{1,18}(\.\d{0,18})?|\.\d{1,18})\s*(?P<unit>h|min|s|ms|us|µs|ns)")
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,18}))?(?:[Zz]|\+00:?00)?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def seconds(text: str) -> Fraction | None:
    """``"2.5s"``, ``"250ms"``, ``"-1 s"``, ``"10min"`` as exact seconds; None for anything else."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        return None
    value = Fraction(match["number"]) * _UNITS[match["unit"]]
    return -value if match["sign"] == "-" else value


def instant(text: str) -> Fraction | None:
    """An RFC 3339 time in UTC as exact seconds since 1970; None for anything else. 60 s is read as the next minute."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(g) for g in match.groups()[:6])
    try:
        day_start = datetime(year, month, day, hour, minute, tzinfo=UTC)
    except ValueError:
        return None
    if second > 60:
        return None
    whole = Fraction((day_start - _EPOCH) // timedelta(seconds=1) + second)
    return whole + (Fraction(int(match[7]), 10 ** len(match[7])) if match[7] else 0)


def iso(when: Fraction) -> str | None:
    """Seconds since 1970 as an RFC 3339 time with nanoseconds where there are any; None before year 1 or after 9999."""
    nanoseconds = round(when * 10**9)
    whole, rest = divmod(nanoseconds, 10**9)
    try:
        stamp = (_EPOCH + timedelta(seconds=whole)).strftime("%Y-%m-%dT%H:%M:%S")
    except OverflowError:
        return None
    fraction = f".{rest:09d}".rstrip("0").rstrip(".")
    return f"{stamp.zfill(19)}{fraction}Z"
