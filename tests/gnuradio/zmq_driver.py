"""GNU Radio's ZeroMQ blocks for tests: many ends in one process; uses nothing of this project.

Run with the Python that has GNU Radio. ``zmq_driver.py send`` reads a list of ends as JSON, prints their addresses and
sends until its input is closed. ``zmq_driver.py receive`` reads ends with addresses and prints what each of them got.
"""

import json
import sys
import time

import numpy as np
import pmt
from gnuradio import blocks, gr, zeromq

N = 1000  # items until everything repeats
TIMEOUT_MS = 100
SINKS = {"push/pull": zeromq.push_sink, "pub/sub": zeromq.pub_sink, "req/rep": zeromq.rep_sink}
SOURCES = {"push/pull": zeromq.pull_source, "pub/sub": zeromq.sub_source, "req/rep": zeromq.req_source}
PDU_SINKS = {"push/pull": zeromq.push_msg_sink, "pub/sub": zeromq.pub_msg_sink, "req/rep": zeromq.rep_msg_sink}
PDU_SOURCES = {"push/pull": zeromq.pull_msg_source, "pub/sub": zeromq.sub_msg_source, "req/rep": zeromq.req_msg_source}


def tag(offset, key, value):
    """A tag with a source."""
    return gr.python_to_tag((offset, pmt.intern(key), value, pmt.intern("test")))


def tags():
    """Numbers, a dictionary, a time."""
    when = pmt.make_tuple(pmt.from_uint64(1700000000), pmt.from_double(0.25))
    return [
        tag(0, "rx_freq", pmt.from_double(1e9)),
        tag(37, "burst", pmt.from_long(37)),
        tag(500, "rx_time", when),
        tag(999, "facts", pmt.dict_add(pmt.make_dict(), pmt.intern("a"), pmt.from_double(1.5))),
    ]


def options(end):
    """What stream blocks take after the address."""
    return [TIMEOUT_MS, end["tags"], -1] + ([end["key"]] if end["pattern"] == "pub/sub" else [])


def send(ends):
    """Item n of a stream is n mod N; PDUs are counted."""
    top, keep, addresses, posts = gr.top_block(), [], [], []
    for end in ends:
        if end["what"] == "pdu":
            sink = PDU_SINKS[end["pattern"]]("tcp://127.0.0.1:*", TIMEOUT_MS, True)
            strobe = blocks.message_strobe(pmt.PMT_NIL, 1000000)  # a graph needs an edge
            top.msg_connect(strobe, "strobe", sink, "in")
            posts.append(sink.to_basic_block())
            keep += [strobe, sink]
        else:
            floats = end["what"] == "float"
            data = [float(n) for n in range(N - 1 if floats else N)]
            source = (blocks.vector_source_f if floats else blocks.vector_source_c)(data, not floats, 1, tags())
            size = 4 if floats else 8
            throttle = blocks.throttle(size, 100e3)
            sink = SINKS[end["pattern"]](size, 1, "tcp://127.0.0.1:*", *options(end))
            top.connect(source, throttle, sink)
            keep += [source, throttle, sink]
        addresses.append(sink.last_endpoint())
    top.start()
    print(json.dumps(addresses), flush=True)
    count = 0
    while not done():
        for block in posts:
            meta = pmt.dict_add(pmt.make_dict(), pmt.intern("n"), pmt.from_long(count))
            block._post(pmt.intern("in"), pmt.cons(meta, pmt.init_u8vector(3, [count % 256, 2, 3])))
        count += 1
    top.stop()


def done():
    """Whether the input is closed."""
    import select

    ready, _, _ = select.select([sys.stdin], [], [], 0.02)
    return bool(ready)


def receive(ends):
    """What came at each end: items and tags, or PDUs as they are written."""
    top, sinks = gr.top_block(), []
    keep = []
    for end in ends:
        if end["what"] == "pdu":
            source, sink = PDU_SOURCES[end["pattern"]](end["address"], TIMEOUT_MS), blocks.message_debug(False)
            top.msg_connect(source, "out", sink, "store")
        else:
            source, sink = SOURCES[end["pattern"]](8, 1, end["address"], *options(end)), blocks.vector_sink_c()
            head = blocks.head(8, end["count"])
            top.connect(source, head, sink)
            keep.append(head)
        keep.append(source)
        sinks.append(sink)
    top.start()
    until = time.monotonic() + 40
    while time.monotonic() < until and not all(complete(end, sink) for end, sink in zip(ends, sinks, strict=True)):
        time.sleep(0.05)
    print(json.dumps([found(end, sink) for end, sink in zip(ends, sinks, strict=True)]), flush=True)
    top.stop()
    top.wait()


def complete(end, sink):
    """Whether an end has got all that it should."""
    return (sink.num_messages() if end["what"] == "pdu" else sink.nitems_read(0)) >= end["count"]


def found(end, sink):
    """Items and tags, or PDUs."""
    if end["what"] == "pdu":
        return [pmt.serialize_str(sink.get_message(i)).hex() for i in range(sink.num_messages())]
    marks = [[t.offset, pmt.symbol_to_string(t.key), pmt.serialize_str(t.value).hex()] for t in sink.tags()]
    return {"items": np.real(sink.data()).tolist(), "tags": marks}


if __name__ == "__main__":
    {"send": send, "receive": receive}[sys.argv[1]](json.loads(sys.stdin.readline()))
