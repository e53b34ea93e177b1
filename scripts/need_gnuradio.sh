#!/bin/sh
# Exit 0 when the system's Python can import GNU Radio, after installing Debian's package where that is missing and can be.
python=/usr/bin/python3
have() { "$python" -c "from gnuradio import channels, digital, gr, pdu, zeromq; print('GNU Radio', gr.version())"; }

have 2>/dev/null && exit 0
by_hand="install it:  sudo apt-get install gnuradio   (Debian, Ubuntu; its Python bindings are for $python)"
if ! command -v apt-get >/dev/null; then
    echo "$python cannot import GNU Radio, and there is no apt-get here; $by_hand" >&2
    exit 1
fi
if [ "$(id -u)" != 0 ]; then
    echo "$python cannot import GNU Radio, and only root may install it; $by_hand" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
{ apt-get update -q && apt-get install -q -y --no-install-recommends gnuradio python3-numpy; } >&2 || {
    echo "apt-get could not install gnuradio; see above" >&2
    exit 1
}
have || {
    echo "gnuradio is installed, but $python still cannot import it; see above" >&2
    exit 1
}
