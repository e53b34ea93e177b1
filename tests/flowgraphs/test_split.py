"""The shipped image link in three processes writes what it writes in one."""

import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import link

from semwave.runtime.graphfile import load

SPLIT = link.FILE.with_name("image_link_split.toml")


def test_split_equals_whole(tmp_path: Path) -> None:
    pictures, whole, split = link.make_pictures(tmp_path / "in"), tmp_path / "whole", tmp_path / "split"
    link.run(pictures, whole, "channel.snr_db=12")
    settings = [*link.LIGHT, f"source.path={pictures}", f"sink.path={split}", "channel.snr_db=12"]
    words = [word for text in settings for word in ("--set", text)]
    command = [sys.executable, "-m", "semwave", "run", str(SPLIT), "--split", "--json", "--deadline", "30", *words]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=110, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert link.files(split) == link.files(whole)
    assert link.rows(split) == link.rows(whole)
    names = [b["name"] for b in json.loads(done.stdout)["blocks"]]
    assert names == list(load(link.FILE).plan().blocks)
    report = json.loads((split / "report.json").read_text())
    assert [b["name"] for b in report["blocks"]] == names


def test_every_block_is_placed_and_the_graph_is_the_same() -> None:
    whole, split = load(link.FILE), load(SPLIT)
    assert split.edges == whole.edges
    assert {n: repr(b) for n, b in split.blocks.items()}.keys() == whole.blocks.keys()
    assert set(split.placement.layout(split.plan()).parts) == {"tx", "rx", "baseline"}
