"""The DATA field of a PPDU whose header is known, and the report on any PPDU."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.ieee80211 import channel, coding, demodulate, headers
from semwave.modulation.ieee80211 import params as p
from semwave.modulation.ieee80211.demodulate import Estimate
from semwave.modulation.ieee80211.headers import Header
from semwave.modulation.ieee80211.mpdu import Mpdu, check_fcs, deaggregate
from semwave.modulation.ieee80211.ppdu import Ppdu
from semwave.modulation.ieee80211.sync import BACKOFF, Located, Reader

Array = npt.NDArray[Any]


def report(found: Located, header: Header, status: str, estimate: Estimate, **more: Any) -> Ppdu:
    """What is known of a PPDU."""
    sig = header.ht_sig
    power = float(np.vdot(found.channel, found.channel).real) / found.channel.size - found.n0 / 2
    facts: dict[str, Any] = {
        "start": found.ltf - p.FIRST_LONG,
        "ltf": found.ltf,
        "end": header.end,
        "status": status,
        "format": header.format,
        "rate_mbps": header.l_sig.rate_mbps if header.l_sig else None,
        "mcs": sig.mcs if sig else None,
        "length": header.length,
        "cfo_hz": found.cfo * p.SAMPLE_RATE / (2 * np.pi),
        "snr_db": 10 * math.log10(max(power, 1e-3 * found.n0) / found.n0),
        "evm_db": float("nan"),
        "channel": estimate.channel,
    }
    if sig:
        facts.update(short_gi=sig.short_gi, ldpc=sig.ldpc, aggregation=sig.aggregation)
    return Ppdu(**{**facts, **more})


def _ht_estimate(read: Reader, found: Located, smoothing: bool) -> Estimate:
    """Channel from the HT long training field, smoothed if the transmitter recommends it."""
    start = np.array([found.ltf + headers.HT_LTF + p.GUARD - BACKOFF])
    y = demodulate.spectra(read, found, start)[0, p.HT.bins]
    h = y * p.HT_LONG.astype(np.float32)
    if smoothing:
        h = channel.smooth(h, found.n0)
    return Estimate(h, p.HT, float(start[0]) + p.FFT / 2)


def decode(read: Reader, found: Located, header: Header, estimate: Estimate) -> Ppdu:
    """Demodulate and decode the DATA field; ``estimate`` is the legacy one.

    Where the FCS fails, the decoded bits, most of them right, are coded again and serve as training for a second
    attempt: the long training field alone costs about 1 dB.
    """
    sig, mode = header.ht_sig, header.mode
    ldpc = sig.ldpc if sig else False
    n = coding.symbols_needed(header.length, mode, ldpc)
    if sig:
        estimate = _ht_estimate(read, found, sig.smoothing)
        guard = p.SHORT_GUARD if sig.short_gi else p.GUARD
        first, pilots = headers.HT_DATA, p.ht_pilots(n)
    else:
        guard, first, pilots = p.GUARD, headers.L_SIG_END, p.legacy_pilots(1, n)
    starts = found.ltf + first + guard + (p.FFT + guard) * np.arange(n)
    seen = demodulate.equalise(read, found, estimate, starts, pilots)
    llr, evm_db = demodulate.soft_bits(seen, mode, ldpc)
    bits = coding.decode(llr, header.length, mode, ldpc)
    facts = _mac(bits, header)
    if facts["status"] != "ok" and n > 2:
        seen = demodulate.refine(seen, _sent(bits, header, mode, ldpc), whole_end=ldpc)
        bits = coding.decode(demodulate.soft_bits(seen, mode, ldpc)[0], header.length, mode, ldpc)
        facts = max(_mac(bits, header), facts, key=_received)
    return report(found, header, estimate=estimate, evm_db=evm_db, **facts)


def _sent(bits: Array, header: Header, mode: p.Mode, ldpc: bool) -> Array:
    """Points that were sent if decoded bits are right: [n, carriers] complex64."""
    return coding.map_symbols(coding.code_scrambled(bits, header.length, mode, ldpc), mode, ldpc)


def _mac(bits: Array, header: Header) -> dict[str, Any]:
    """PSDU, MAC frames and status from decoded bits."""
    psdu, seed = coding.descramble(bits)
    aggregated = header.ht_sig is not None and header.ht_sig.aggregation
    mpdus = deaggregate(psdu) if aggregated else [Mpdu(psdu, check_fcs(psdu))]
    status = "ok" if mpdus and all(m.fcs_ok for m in mpdus) else "bad FCS"
    return {"status": status, "psdu": psdu, "mpdus": mpdus, "seed": seed}


def _received(facts: dict[str, Any]) -> tuple[bool, int]:
    """Order of two attempts: all MAC frames right, then how many octets are."""
    return facts["status"] == "ok", sum(len(m.data) for m in facts["mpdus"] if m.fcs_ok)
