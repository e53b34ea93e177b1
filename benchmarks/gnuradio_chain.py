"""The same chain in GNU Radio: null source, N copy blocks, null sink; one JSON object on standard output.

Run by ``runtime_chain.py`` with the Python that has GNU Radio; uses nothing of this project.
"""

import argparse
import json
import sys
import threading
import time
from pathlib import Path


def chain(kind, count):
    """A flowgraph of ``count`` copy blocks, and its sink."""
    from gnuradio import blocks, gr

    class PythonCopy(gr.sync_block):
        """Copy in a Python ``work``."""

        def __init__(self):
            import numpy as np

            gr.sync_block.__init__(self, "copy", [np.complex64], [np.complex64])

        def work(self, input_items, output_items):
            """``[n] -> [n]``."""
            output_items[0][:] = input_items[0]
            return len(output_items[0])

    make = PythonCopy if kind == "python" else lambda: blocks.copy(gr.sizeof_gr_complex)
    top, sink = gr.top_block(), blocks.null_sink(gr.sizeof_gr_complex)
    stages = [blocks.null_source(gr.sizeof_gr_complex), *(make() for _ in range(count)), sink]
    top.connect(*stages)
    return top, sink, stages


def threads():
    """How many threads this process has, those of C++ included."""
    status = Path("/proc/self/status")
    if not status.exists():
        return threading.active_count()
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("Threads:"))


def main():
    """Measure one case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["c++", "python", "startup"])
    parser.add_argument("count", type=int)
    parser.add_argument("seconds", type=float)
    options = parser.parse_args()
    top, sink, _stages = chain(options.kind, options.count)
    top.start()
    if options.kind == "startup":
        while not sink.nitems_read(0):
            time.sleep(0.001)
        top.stop()
        top.wait()
        sys.stdout.write("{}\n")
        return
    time.sleep(options.seconds / 4)
    first, begin, busy = sink.nitems_read(0), time.perf_counter(), time.process_time()
    time.sleep(options.seconds)
    last, end, busy = sink.nitems_read(0), time.perf_counter(), time.process_time() - busy
    count = threads()
    top.stop()
    top.wait()
    sys.stdout.write(
        json.dumps({"rate": (last - first) / (end - begin), "per_cpu_s": (last - first) / busy, "threads": count})
        + "\n"
    )


if __name__ == "__main__":
    main()
