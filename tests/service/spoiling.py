"""Bundles that are whole but wrong: other graphs or golden rows under digests that agree."""

import json
import shutil
from hashlib import sha256

import numpy as np
import onnx

from models import golden
from models.repository import MANIFEST, SEAL, Repository, digests, read_bundle


def replace(folder, **changed):
    """Publish the bundle again in its place, with other fields in its manifest or other `files` in it."""
    bundle = read_bundle(folder)
    files = dict(bundle.files) | changed.pop("files", {})
    fields = bundle.manifest.model_dump() | changed | {"digests": digests(files)}
    shutil.rmtree(folder)
    return Repository(folder.parent.parent).publish(type(bundle.manifest).model_validate(fields), files)


def reseal(folder, change):
    """Write the manifest as `change` has changed its JSON, with a seal that agrees; nothing else looks at it."""
    content = json.loads((folder / MANIFEST).read_text())
    change(content)
    written = json.dumps(content).encode()
    (folder / MANIFEST).write_bytes(written)
    (folder / SEAL).write_text(f"{sha256(written).hexdigest()}  {MANIFEST}\n")


def with_graph(folder, file, change):
    """Publish again with a graph that `change` has changed."""
    model = onnx.load_model_from_string(read_bundle(folder).files[file])
    change(model)
    return replace(folder, files={file: model.SerializeToString()})


def ask_for(values):
    """Have a graph ask for memory for so many numbers, from which it takes nothing."""

    def change(model):
        graph = model.graph
        graph.initializer.append(onnx.numpy_helper.from_array(np.array([values]), "how_many"))
        (code,) = [node for node in graph.node if node.op_type == "Identity"]
        graph.node.insert(0, onnx.helper.make_node("Add", ["z", "least"], ["moved"]))
        graph.node.insert(0, onnx.helper.make_node("ReduceMax", ["zeros"], ["least"], keepdims=0))
        graph.node.insert(0, onnx.helper.make_node("ConstantOfShape", ["how_many"], ["zeros"]))
        code.input[0] = "moved"

    return change


def with_golden(folder, change):
    """Publish again with golden rows that `change(operation, rows)` has changed."""
    bundle = read_bundle(folder)
    content = bundle.files["golden.safetensors"]
    rows = {name: golden.unpack(content, name) for name in bundle.manifest.operations}
    for name, golden_rows in rows.items():
        change(name, golden_rows)
    return replace(folder, files={"golden.safetensors": golden.pack(rows)})


def other_numbers(name, rows):
    """Golden outputs that are off by a little more than is tolerated."""
    for array in rows.outputs.values():
        array += np.float32(1e-3)


def brain_floats(key):
    """A safetensors file of one BF16 number, a type that numpy does not have."""
    return safetensors(key, "BF16", [1], 2)


def safetensors(key, kind, shape, size):
    """A file of one tensor, of so many bytes."""
    header = json.dumps({key: {"dtype": kind, "shape": shape, "data_offsets": [0, size]}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(size)


def flip(path):
    """One bit of the byte in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
