"""GNU Radio's ZeroMQ blocks at what ``wire.py`` measures: one end of a link, one JSON object on standard output.

Run by ``wire.py`` with the Python that has GNU Radio; uses nothing of this project.
"""

import argparse
import json
import sys
import time

import numpy as np
from gnuradio import blocks, gr, zeromq

TIMEOUT_MS = 100


class StampSource(gr.sync_block):
    """``count`` items each ``period_s``, all carrying CLOCK_MONOTONIC in nanoseconds."""

    def __init__(self, count, period_s):
        gr.sync_block.__init__(self, "stamp source", None, [np.int64])
        self.count, self.period_s, self.next = count, period_s, time.monotonic()

    def work(self, input_items, output_items):
        """One chunk, when it is time."""
        out = output_items[0]
        time.sleep(max(0.0, self.next - time.monotonic()))
        self.next = max(self.next + self.period_s, time.monotonic() - 1)
        n = min(self.count, len(out))
        out[:n] = time.monotonic_ns()
        return n


class StampSink(gr.sync_block):
    """How old the newest item is, each time items come."""

    def __init__(self):
        gr.sync_block.__init__(self, "stamp sink", [np.int64], None)
        self.ages_us = []

    def work(self, input_items, output_items):
        """Read the clock."""
        now = time.monotonic_ns()
        self.ages_us.append((now - int(input_items[0][-1])) / 1e3)
        return len(input_items[0])


def sender(options):
    """Send until killed."""
    rate = options.kind == "rate"
    size = gr.sizeof_gr_complex if rate else 8
    source = blocks.null_source(size) if rate else StampSource(options.items, options.period)
    sink = zeromq.push_sink(size, 1, options.address, TIMEOUT_MS, True, -1)
    top = gr.top_block()
    top.connect(source, sink)
    top.run()


def receiver(options):
    """Receive for a while and say how that went."""
    rate = options.kind == "rate"
    size = gr.sizeof_gr_complex if rate else 8
    source = zeromq.pull_source(size, 1, options.address, TIMEOUT_MS, True, -1)
    sink = blocks.null_sink(size) if rate else StampSink()
    top = gr.top_block()
    top.connect(source, sink)
    top.start()
    while not sink.nitems_read(0):
        time.sleep(0.01)
    time.sleep(options.seconds / 2)
    ages = [] if rate else sink.ages_us
    first, begin, skip = sink.nitems_read(0), time.perf_counter(), len(ages)
    time.sleep(options.seconds)
    last, end = sink.nitems_read(0), time.perf_counter()
    sys.stdout.write(json.dumps({"rate": (last - first) / (end - begin), "ages_us": ages[skip:]}) + "\n")
    sys.stdout.flush()
    top.stop()
    top.wait()


def main():
    """One end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("side", choices=["send", "receive"])
    parser.add_argument("kind", choices=["rate", "latency"])
    parser.add_argument("address")
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--period", type=float, default=1e-3)
    options = parser.parse_args()
    (sender if options.side == "send" else receiver)(options)


if __name__ == "__main__":
    main()
