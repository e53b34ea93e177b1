#!/usr/bin/python3
"""GNU Radio as the channel of an image link: ZeroMQ in, channel_model, ZeroMQ out.

Start it, and in another terminal ``semwave run flowgraphs/gnuradio_channel.toml``, in any order. Runs with the Python
that has GNU Radio (Debian: /usr/bin/python3) and needs nothing of semwave. Ctrl-C ends it and says what passed.
"""

import argparse
import signal
import threading

from gnuradio import channels, gr, zeromq

TIMEOUT_MS = 100


def main():
    """Run until Ctrl-C or SIGTERM."""
    options = parse()
    top = gr.top_block("channel", catch_exceptions=False)  # a wrong setting ends this program, and says why
    source = zeromq.pull_source(gr.sizeof_gr_complex, 1, options.pull, TIMEOUT_MS, options.tags)
    channel = channels.channel_model(
        noise_voltage=options.noise,
        frequency_offset=options.offset / options.rate,
        epsilon=1 + options.clock * 1e-6,
        taps=options.taps,
        noise_seed=options.seed,
    )
    sink = zeromq.push_sink(gr.sizeof_gr_complex, 1, options.push, TIMEOUT_MS, options.tags)
    top.connect(source, channel, sink)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    top.start()
    print(f"from {source.last_endpoint()} through the channel to {sink.last_endpoint()}", flush=True)
    while not ended.wait(0.2):
        pass
    top.stop()
    top.wait()
    print(f"{source.nitems_written(0)} samples in, {sink.nitems_read(0)} out")


def parse():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--pull", default="tcp://127.0.0.1:5555", help="where samples come from: connects (%(default)s)")
    add("--push", default="tcp://127.0.0.1:5556", help="where samples go: binds (%(default)s)")
    add("--tags", action="store_true", help="Pass Tags, on both sockets")
    add("--rate", type=float, default=3.84e6, help="samples a second (%(default)g)")
    add("--noise", type=float, default=0.2, help="noise voltage v: SNR of a carrier is 1/v^2 (%(default)s: 14 dB)")
    add("--offset", type=float, default=1000.0, help="carrier frequency offset, Hz (%(default)g)")
    add("--clock", type=float, default=0.0, help="sample clock error, ppm (%(default)g)")
    add("--taps", type=complex, nargs="+", default=[0.9, 0, 0, 0.35j, 0, -0.2], help="impulse response")
    add("--seed", type=int, default=1, help="of the noise")
    return parser.parse_args()


if __name__ == "__main__":
    main()
