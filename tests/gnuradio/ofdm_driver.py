"""Stock ``digital.ofdm_tx`` and ``digital.ofdm_rx`` for tests and benchmarks; uses nothing of this project.

Run with the Python that has GNU Radio (Debian: /usr/bin/python3)::

    ofdm_driver.py transmit in.npz out.npz   data, lengths, bits, scramble -> samples
    ofdm_driver.py receive  in.npz out.npz   samples, bits, scramble -> data, lengths, numbers
    ofdm_driver.py loopback bytes bits gap seconds windows      one JSON object on standard output
"""

import argparse
import json
import sys
import time

import numpy as np
import pmt
from gnuradio import blocks, channels, digital, gr

KEY = "packet_length"
BUFFER = 1 << 15  # items; with the default, packets of more than half a buffer stall


def big(block):
    """Give a block long output buffers."""
    block.set_min_output_buffer(BUFFER)
    return block


def tag(offset, value):
    """A packet-length tag."""
    return gr.python_to_tag((int(offset), pmt.intern(KEY), pmt.from_long(int(value)), pmt.PMT_F))


def modem(which, bits, scramble):
    """The stock hierarchical block."""
    return big(which(bps_payload=int(bits), scramble_bits=bool(scramble), packet_length_tag_key=KEY))


def transmit(spec):
    """Packets through ``ofdm_tx``."""
    starts = np.cumsum(spec["lengths"]) - spec["lengths"]
    tags = [tag(a, n) for a, n in zip(starts, spec["lengths"], strict=True)]
    source, sink = big(blocks.vector_source_b(spec["data"].tolist(), False, 1, tags)), blocks.vector_sink_c()
    top = gr.top_block()
    top.connect(source, modem(digital.ofdm_tx, spec["bits"], spec["scramble"]), sink)
    top.run()
    return {"samples": np.array(sink.data(), np.complex64)}


def receive(spec):
    """Samples through ``ofdm_rx``."""
    source, sink = blocks.vector_source_c(spec["samples"].tolist(), False), blocks.vector_sink_b()
    top = gr.top_block()
    top.connect(source, modem(digital.ofdm_rx, spec["bits"], spec["scramble"]), sink)
    top.run()
    found = {KEY: [], "packet_num": []}
    for t in sink.tags():
        key = pmt.symbol_to_string(t.key)
        if key in found:
            found[key].append(pmt.to_long(t.value))
    return {"data": np.array(sink.data(), np.uint8), "lengths": found[KEY], "numbers": found["packet_num"]}


def loopback(options):
    """Transmitter, gap, channel with offset and a little noise, receiver, for some seconds."""
    data = np.random.default_rng(7).integers(0, 256, 64 * options.bytes).tolist()
    gate, sink = blocks.tag_gate(gr.sizeof_gr_complex, False), blocks.null_sink(1)
    stages = [
        blocks.vector_source_b(data, True),
        big(blocks.stream_to_tagged_stream(1, 1, options.bytes, KEY)),
        modem(digital.ofdm_tx, options.bits, True),
        big(digital.burst_shaper_cc([], 0, options.gap, False, KEY)),
        gate,  # the transmitter's tags would stop the receiver
        channels.channel_model(noise_voltage=0.001, frequency_offset=0.2 / 64, noise_seed=11),
        modem(digital.ofdm_rx, options.bits, True),
        sink,
    ]
    top = gr.top_block()
    top.connect(*stages)
    top.start()
    time.sleep(1.0)
    rates = []
    for _ in range(options.windows):
        samples, out, begin = gate.nitems_written(0), sink.nitems_read(0), time.perf_counter()
        busy = time.process_time()
        time.sleep(options.seconds)
        now = time.perf_counter()
        made, got, busy = gate.nitems_written(0) - samples, sink.nitems_read(0) - out, time.process_time() - busy
        rates.append([made / (now - begin), 8 * got / (now - begin), made / busy])
    top.stop()
    top.wait()
    best = [max(column) for column in zip(*rates, strict=True)]
    return dict(zip(("samples_s", "bit_s", "samples_cpu_s"), best, strict=True))


def main():
    """Run one command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("transmit", "receive"):
        command = commands.add_parser(name)
        command.add_argument("source")
        command.add_argument("target")
    command = commands.add_parser("loopback")
    for name, kind in (("bytes", int), ("bits", int), ("gap", int), ("seconds", float), ("windows", int)):
        command.add_argument(name, type=kind)
    options = parser.parse_args()
    gr.logging().set_default_level(gr.log_levels.err)
    if options.command == "loopback":
        sys.stdout.write(json.dumps(loopback(options)) + "\n")
        return
    with np.load(options.source) as file:
        spec = {name: file[name] for name in file.files}
    np.savez(options.target, **(transmit if options.command == "transmit" else receive)(spec))


if __name__ == "__main__":
    main()
