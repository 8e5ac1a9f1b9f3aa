"""The Open Inference Protocol's `infer`: JSON and binary tensors in, JSON and binary tensors out."""

import asyncio
import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from fastapi import APIRouter
from numpy.typing import NDArray
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from service import trace
from service.encoding import framing, json, nested
from service.encoding.framing import DATATYPES
from service.errors import DeadlinePassed, InvalidInput
from service.graph import Arrays
from service.inference import Inference, datatype, prepare
from service.routes.answers import say_who
from service.routes.body import LARGE, at_once
from service.routes.dependencies import Served, problems
from service.routes.infer_route import HEAD_LENGTH, InferRoute, RawTensors
from service.routes.negotiation import JSON
from service.schemas.examples import EXAMPLES
from service.schemas.inference import InferInput, InferRequest, InferResponse
from service.served_model import ServedModel

_BINARY = "application/octet-stream"


_EXAMPLE = EXAMPLES["infer"]
_FRAMED = {
    "schema": {
        "type": "string",
        "format": "binary",
        "description": f"The JSON, as long as {HEAD_LENGTH} says, and behind it the tensors with a binary_data_size.",
    }
}
_BODIES = {"requestBody": {"content": {JSON: {"examples": _EXAMPLE.of(_EXAMPLE.request)}, _BINARY: _FRAMED}}}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {JSON: {"examples": _EXAMPLE.of(_EXAMPLE.answer)}, _BINARY: _FRAMED}}
}

router = APIRouter(route_class=InferRoute, responses=problems(), strict_content_type=False)


@router.post("/infer", response_model=InferResponse, responses=_ANSWERS, openapi_extra=_BODIES)
async def infer(asked: InferRequest, raw_tensors: RawTensors, model: Served) -> Response:
    """Any operation of the model, `parameters.operation`; noise that is not among the inputs is drawn."""
    is_large = memoryview(raw_tensors.obj).nbytes > LARGE  # of the whole body
    tensors = await (asyncio.to_thread if is_large else at_once)(_tensors, asked.inputs, raw_tensors)
    inference = prepare(model, asked.parameters, tensors)
    is_binary = _outputs(model, asked, inference)
    timeout = asked.parameters.timeout and asked.parameters.timeout / 1e6
    if timeout:
        here = trace.current()
        here.deadline = min(here.deadline, time.perf_counter() + timeout)
    try:
        async with asyncio.timeout(timeout):
            arrays = await model.infer(*inference)
    except TimeoutError as error:
        raise DeadlinePassed("the answer was not there before the timeout that the request gives") from error
    is_large = sum(array.nbytes for array in arrays.values()) > LARGE
    return await (asyncio.to_thread if is_large else at_once)(_packed, model, asked, inference, arrays, is_binary)


def _tensors(inputs: Sequence[InferInput], rest: memoryview) -> dict[str, NDArray[Any]]:
    """Each input by its name; InvalidInput if its values are not of its shape and datatype."""
    sizes = [given.parameters.binary_data_size for given in inputs]
    raw = iter(framing.split(rest, [size for size in sizes if size is not None]))
    tensors = {}
    for i, given in enumerate(inputs):
        needed = datatype(given.name)
        if given.datatype != needed:
            raise InvalidInput(f"inputs.{i}: this input's datatype is {needed}")
        content = None if sizes[i] is None else next(raw)
        tensors[given.name] = _from_json(given) if content is None else framing.from_bytes(content, needed, given.shape)
    if len(tensors) < len(inputs):
        raise InvalidInput("an input is given twice")
    return tensors


def _from_json(given: InferInput) -> NDArray[Any]:
    """Nested as its shape says, or flat."""
    try:
        array = nested.integers(given.data) if given.datatype == "INT64" else nested.tensor(given.data)
    except PydanticCustomError as error:
        raise InvalidInput(f"inputs.data: {error.message()}") from error
    if list(array.shape) != given.shape and (array.ndim != 1 or array.size != math.prod(given.shape)):
        raise InvalidInput("inputs.data is neither nested as its shape says nor flat with as many values")
    return array.reshape(given.shape)


def _outputs(model: ServedModel, asked: InferRequest, inference: Inference) -> dict[str, bool]:
    """The outputs to answer, all if none is named, and whether each is to be binary."""
    offered = model.manifest.operations[inference.operation].outputs
    named = {output.name: output.parameters.binary_data for output in asked.outputs} or dict.fromkeys(offered)
    if not set(named) <= set(offered):
        raise InvalidInput(f"outputs of {inference.operation} are {', '.join(offered)}")
    for_all = asked.parameters.binary_data_output
    return {name: for_all if its_own is None else its_own for name, its_own in named.items()}


def _packed(
    model: ServedModel, asked: InferRequest, inference: Inference, arrays: Arrays, is_binary: dict[str, bool]
) -> Response:
    started = time.perf_counter()
    manifest, draw = model.manifest, inference.draw
    tensors = {name: np.ascontiguousarray(arrays[name], DATATYPES["FP32"]) for name in is_binary}
    answer = {
        "model_name": manifest.name,
        "model_version": str(manifest.version),
        **({"id": asked.id} if asked.id else {}),
        "parameters": {"operation": inference.operation, "seed": draw.seed, "index": draw.index},
        "outputs": [_output(name, tensor, is_binary[name]) for name, tensor in tensors.items()],
    }
    raw = [tensor for name, tensor in tensors.items() if is_binary[name]]
    content, head_length = framing.put_together(answer, raw)
    response = Response(content, media_type=_BINARY if raw else JSON)
    if raw:
        response.headers[HEAD_LENGTH] = str(head_length)
    say_who(response, model, draw)
    trace.current().encode = time.perf_counter() - started
    return response


def _output(name: str, tensor: NDArray[np.float32], is_binary: bool) -> dict[str, Any]:
    values = (
        {"parameters": {"binary_data_size": tensor.nbytes}}
        if is_binary
        else {"data": json.in_blocks(tensor.reshape(-1))}
    )
    return {"name": name, "shape": tensor.shape, "datatype": "FP32", **values}
