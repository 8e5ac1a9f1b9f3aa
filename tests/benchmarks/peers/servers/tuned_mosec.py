"""mosec by one who has measured: orjson, one thread a session, batching, and a worker for each route."""

from typing import Any

import numpy as np
import orjson
from model import Model, Sample, Score
from mosec import Runtime, Server, Worker


class Drawer(Worker):
    def __init__(self) -> None:
        super().__init__()
        self._model = Model("sample", threads=1)

    def deserialize(self, data: bytes) -> Sample:
        return Sample(**orjson.loads(data))

    def forward(self, data: list[Sample]) -> list[np.ndarray]:
        return self._model.sample(data)

    def serialize(self, data: np.ndarray) -> bytes:
        return orjson.dumps({"x": data}, option=orjson.OPT_SERIALIZE_NUMPY)


class BytesDrawer(Drawer):
    resp_mime_type = "application/octet-stream"

    def serialize(self, data: np.ndarray) -> bytes:
        return data.tobytes()


class Scorer(Worker):
    def __init__(self) -> None:
        super().__init__()
        self._model = Model("score", threads=1)

    def deserialize(self, data: bytes) -> Score:
        asked: dict[str, Any] = orjson.loads(data)
        return Score(np.array(asked["x"], np.float32), asked["samples"], asked["seed"])

    def forward(self, data: list[Score]) -> list[dict[str, np.ndarray]]:
        return self._model.score(data)

    def serialize(self, data: dict[str, np.ndarray]) -> bytes:
        return orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY)


if __name__ == "__main__":
    server = Server()
    routes = {"/sample": Drawer, "/sample-bytes": BytesDrawer, "/score": Scorer}
    server.register_runtime({path: [Runtime(worker, max_batch_size=64)] for path, worker in routes.items()})
    server.run()
