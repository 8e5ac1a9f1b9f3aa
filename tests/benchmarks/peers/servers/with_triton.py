"""Triton by nvidia-pytriton with its dynamic batcher: a function gets a batch's requests and runs the graph once."""

import sys

import numpy as np
from model import Model, Sample, Score
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.proxy.types import Request
from pytriton.triton import Triton, TritonConfig

BATCH = ModelConfig(max_batch_size=64, batcher=DynamicBatcher())
NUMBER = {"shape": (1,), "dtype": np.int64}
FLOATS = {"dtype": np.float32}

model = Model("sample", "score", threads=1)


def sample(requests: list[Request]) -> list[dict[str, np.ndarray]]:
    asked = [Sample(int(request["n"][0, 0]), int(request["seed"][0, 0])) for request in requests]
    return [{"x": x[None]} for x in model.sample(asked)]


def score(requests: list[Request]) -> list[dict[str, np.ndarray]]:
    asked = [Score(request["x"][0], int(request["samples"][0, 0]), int(request["seed"][0, 0])) for request in requests]
    return [{name: values[None] for name, values in bounds.items()} for bounds in model.score(asked)]


if __name__ == "__main__":
    config = TritonConfig(http_port=int(sys.argv[1]), allow_grpc=False, allow_metrics=False)
    with Triton(config=config) as triton:
        triton.bind(
            "sample",
            sample,
            inputs=[Tensor(name="n", **NUMBER), Tensor(name="seed", **NUMBER)],
            outputs=[Tensor(name="x", shape=(-1, -1, -1), **FLOATS)],
            config=BATCH,
            strict=False,
        )
        triton.bind(
            "score",
            score,
            inputs=[
                Tensor(name="x", shape=(-1, -1, -1), **FLOATS),
                Tensor(name="samples", **NUMBER),
                Tensor(name="seed", **NUMBER),
            ],
            outputs=[Tensor(name=name, shape=(-1,), **FLOATS) for name in ("elbo", "importance_weighted_bound")],
            config=BATCH,
            strict=False,
        )
        triton.serve()
