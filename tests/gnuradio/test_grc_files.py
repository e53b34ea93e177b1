"""GNU Radio Companion opens our .grc files and makes programs of them, for every radio that they know."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import example_peer

pytestmark = pytest.mark.peer
RADIOS = {
    "radio_tx": {"usrp": "uhd.usrp_sink", "hackrf": "driver=hackrf", "pluto": "iio.fmcomms2_sink"},
    "radio_rx": {
        "usrp": "uhd.usrp_source", "hackrf": "driver=hackrf", "pluto": "iio.fmcomms2_source", "rtlsdr": "driver=rtlsdr",
    },
}  # fmt: skip
CASES = [(name, radio, call) for name, radios in RADIOS.items() for radio, call in radios.items()]


def variant(name: str, radio: str) -> str:
    """The text of a .grc file with ``radio`` enabled and the others disabled, under a name of its own."""
    text = (example_peer.EXAMPLES / f"{name}.grc").read_text()
    for other in RADIOS[name]:
        state = "enabled" if other == radio else "disabled"
        text, changed = re.subn(rf"(- name: {other}\n(?:  .*\n)*?    state: )\w+\n", rf"\g<1>{state}\n", text)
        assert changed == 1
    return text.replace(f"    id: '{name}'\n", f"    id: '{name}_{radio}'\n", 1)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what grcc makes of everything, in one call: it takes seconds to start."""
    example_peer.need()
    grcc = shutil.which("grcc")
    if grcc is None:
        pytest.skip("GNU Radio Companion's compiler, grcc, is not installed")
    folder = tmp_path_factory.mktemp("grc")
    for name, radio, _ in CASES:
        (folder / f"{name}_{radio}.grc").write_text(variant(name, radio))
    files = [*folder.glob("*.grc"), *example_peer.EXAMPLES.glob("*.grc")]
    command = [grcc, "-o", str(folder), *map(str, sorted(files))]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.parametrize("name", ["channel", "radio_tx", "radio_rx"])
def test_the_shipped_files_compile(programs: Path, name: str) -> None:
    compile((programs / f"{name}.py").read_text(), name, "exec")


@pytest.mark.parametrize(("name", "radio", "call"), CASES, ids=[f"{n}-{r}" for n, r, _ in CASES])
def test_every_radio_compiles_and_is_connected(programs: Path, name: str, radio: str, call: str) -> None:
    text = (programs / f"{name}_{radio}.py").read_text()
    compile(text, name, "exec")
    assert call in text
    ends = (f"(self.level, 0), (self.{radio}, 0)", f"(self.{radio}, 0), (self.to_semwave, 0)")
    assert f"self.connect({ends[name == 'radio_rx']})" in text
    assert not any(f"self.{other} = " in text for other in RADIOS[name] if other != radio)


def test_the_compiled_channel_takes_the_options_of_its_parameters(programs: Path) -> None:
    """Running ``--help`` imports every GNU Radio module that the file needs."""
    command = [example_peer.PYTHON, str(programs / "channel.py"), "--help"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    for option in ("--pull", "--push", "--noise", "--offset", "--rate"):
        assert option in done.stdout


def test_item_types_and_tags_are_what_the_flowgraphs_expect() -> None:
    """Complex samples, no tags, the ports of ``flowgraphs/gnuradio_channel.toml``."""
    flowgraph = (example_peer.ROOT / "flowgraphs" / "gnuradio_channel.toml").read_text()
    assert "tags = false " in flowgraph
    for file in example_peer.EXAMPLES.glob("*.grc"):
        text = file.read_text()
        assert "pass_tags: 'True'" not in text
        for port in re.findall(r"tcp://127\.0\.0\.1:\d+", text):
            assert port in flowgraph
