#!/usr/bin/python3
"""GNU Radio's stock OFDM at one end, semwave at the other; random packets, counted by what came back equal.

``transmit``: digital.ofdm_tx here, and in another terminal ``semwave run flowgraphs/gnuradio_ofdm_rx.toml``, whose
packets come back as PDUs. ``receive``: ``semwave run flowgraphs/gnuradio_ofdm_tx.toml`` makes packets of the PDUs of
this program, and digital.ofdm_rx here receives them. Start the two in any order. Runs with the Python that has GNU
Radio (Debian: /usr/bin/python3) and needs nothing of semwave. Exit status 0 when all packets came, 1 otherwise.
"""

import argparse
import random
import sys
import time

import pmt
from gnuradio import blocks, channels, digital, gr, pdu, zeromq

KEY = "packet_length"
BITS = {"bpsk": 1, "qpsk": 2, "8psk": 3}
TIMEOUT_MS = 100
BUFFER = 1 << 15  # items: with default buffers both modems stop for ever at packets longer than about half a one
SAMPLE = gr.sizeof_gr_complex


def transmit(top, options, payloads):
    """Packets as bytes > ofdm_tx > silence between > channel > ZeroMQ; PDUs come back."""
    lengths = [len(p) for p in payloads]
    starts = [sum(lengths[:k]) for k in range(len(lengths))]
    tags = [
        gr.python_to_tag((at, pmt.intern(KEY), pmt.from_long(n), pmt.PMT_F))
        for at, n in zip(starts, lengths, strict=True)
    ]
    source = blocks.vector_source_b(list(b"".join(payloads)), False, 1, tags)
    modem = digital.ofdm_tx(bps_payload=BITS[options.modulation], scramble_bits=True, packet_length_tag_key=KEY)
    gaps = digital.burst_shaper_cc([], 160, 160, False, KEY)
    level = blocks.multiply_const_cc(0.05)
    channel = channels.channel_model(noise_voltage=options.noise, frequency_offset=0.2 / 64, noise_seed=1)
    for block in (source, modem, gaps):
        block.set_min_output_buffer(BUFFER)
    top.connect(source, modem, gaps, level, channel, zeromq.push_sink(SAMPLE, 1, options.samples, TIMEOUT_MS, False))
    back, kept = zeromq.pull_msg_source(options.pdus, TIMEOUT_MS), blocks.message_debug(False)
    top.msg_connect(back, "out", kept, "store")
    return [back, kept], kept


def receive(top, options, payloads):
    """PDUs go out; ZeroMQ > channel > ofdm_rx > PDUs."""
    source = zeromq.pull_source(SAMPLE, 1, options.samples, TIMEOUT_MS, False)
    channel = channels.channel_model(noise_voltage=options.noise, frequency_offset=0.2 / 64, noise_seed=1)
    modem = digital.ofdm_rx(bps_payload=BITS[options.modulation], scramble_bits=True, packet_length_tag_key=KEY)
    modem.set_min_output_buffer(BUFFER)
    frames, kept = pdu.tagged_stream_to_pdu(gr.types.byte_t, KEY), blocks.message_debug(False)
    top.connect(source, channel, modem, frames)
    top.msg_connect(frames, "pdus", kept, "store")
    mark, posts = pdu.pdu_set(pmt.intern("from"), pmt.intern("ofdm.py")), zeromq.push_msg_sink(options.pdus, TIMEOUT_MS)
    top.msg_connect(mark, "pdus", posts, "in")
    for payload in payloads:
        message = pmt.cons(pmt.make_dict(), pmt.init_u8vector(len(payload), list(payload)))
        mark.to_basic_block()._post(pmt.intern("pdus"), message)
    return [source, modem, frames, kept, mark, posts], kept


def main():
    """Send, wait for all packets or the deadline, compare."""
    options = parse()
    chance = random.Random(7)
    lengths = range(1, options.bytes + 1) if options.sweep else [options.bytes] * options.packets
    payloads = [chance.randbytes(n) for n in lengths]
    gr.logging().set_default_level(gr.log_levels.warn)
    top = gr.top_block("ofdm", catch_exceptions=False)
    keep, kept = (transmit if options.side == "transmit" else receive)(top, options, payloads)
    top.start()
    until = time.monotonic() + options.seconds
    while kept.num_messages() < len(payloads) and time.monotonic() < until:
        time.sleep(0.05)
    top.stop()
    top.wait()
    came = [bytes(pmt.u8vector_elements(pmt.cdr(kept.get_message(k)))) for k in range(kept.num_messages())]
    equal = len(set(came) & set(payloads))  # random bytes: only the shortest could be alike
    if came == payloads:
        equal = len(came)
    size = f"1 to {options.bytes}" if options.sweep else options.bytes
    print(f"{len(payloads)} packets of {size} bytes sent, {len(came)} came, {equal} equal")
    del keep
    sys.exit(equal != len(payloads))


def parse():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("side", choices=("transmit", "receive"), help="what GNU Radio does")
    add = parser.add_argument
    add("--samples", help="address of the samples (transmit binds tcp://127.0.0.1:5556, receive connects to :5555)")
    add("--pdus", help="address of the PDUs (transmit connects to tcp://127.0.0.1:5558, receive binds :5557)")
    add("--modulation", choices=tuple(BITS), default="qpsk", help="of the payload, as in the flowgraph (%(default)s)")
    add("--packets", type=int, default=50, help="how many (%(default)s)")
    add("--bytes", type=int, default=95, help="of one (%(default)s)")
    add("--sweep", action="store_true", help="one packet of each length from 1 to --bytes instead")
    add("--noise", type=float, default=0.005, help="noise voltage (%(default)s)")
    add("--seconds", type=float, default=60.0, help="deadline (%(default)s)")
    options = parser.parse_args()
    samples, pdus = (5556, 5558) if options.side == "transmit" else (5555, 5557)
    options.samples = options.samples or f"tcp://127.0.0.1:{samples}"
    options.pdus = options.pdus or f"tcp://127.0.0.1:{pdus}"
    return options


if __name__ == "__main__":
    main()
