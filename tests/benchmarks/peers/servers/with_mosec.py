"""mosec by its documentation: JSON by itself, sessions as they come, batching, a worker for each route."""

from typing import Any

import numpy as np
from model import Model, Sample, Score
from mosec import Runtime, Server, Worker


class Drawer(Worker):
    def __init__(self) -> None:
        super().__init__()
        self._model = Model("sample")

    def forward(self, data: list[dict[str, int]]) -> list[Any]:
        drawn = self._model.sample([Sample(**asked) for asked in data])
        return [{"x": x.tolist()} for x in drawn]


class BytesDrawer(Drawer):
    resp_mime_type = "application/octet-stream"

    def forward(self, data: list[dict[str, int]]) -> list[Any]:
        return self._model.sample([Sample(**asked) for asked in data])

    def serialize(self, data: np.ndarray) -> bytes:
        return data.tobytes()


class Scorer(Worker):
    def __init__(self) -> None:
        super().__init__()
        self._model = Model("score")

    def forward(self, data: list[dict[str, Any]]) -> list[dict[str, list[float]]]:
        asked = [Score(np.array(each["x"], np.float32), each["samples"], each["seed"]) for each in data]
        return [{name: values.tolist() for name, values in bounds.items()} for bounds in self._model.score(asked)]


if __name__ == "__main__":
    server = Server()
    routes = {"/sample": Drawer, "/sample-bytes": BytesDrawer, "/score": Scorer}
    server.register_runtime({path: [Runtime(worker, max_batch_size=64)] for path, worker in routes.items()})
    server.run()
