"""The service on tiny bundles, asked as a client would, without a network between."""

import asyncio
from contextlib import asynccontextmanager

import numpy as np
import pytest
import pytest_asyncio
from httpx import ASGITransport, AsyncClient

from service.app import create_app
from service.settings import Settings
from tests import leaks, tiny_bundle

OVERFLOWING = 1e38  # added to four logits, it takes the log-probability of four zeros beyond single precision


def pytest_collection_modifyitems(items):
    """All on one event loop, so that one service can answer all tests of a session."""
    for item in items:
        if "tests/service/" in item.path.as_posix() and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


class Service:
    """A running service: its app, and a client of it."""

    def __init__(self, app, client):
        self.app = app
        self.client = client

    async def post(self, verb, model="tiny", headers=None, **body):
        return await self.client.post(f"/v2/models/{model}/{verb}", json=body, headers=headers)

    async def ask(self, verb, model="tiny", **body):
        """The answer, its lists of numbers as float32 arrays."""
        response = await self.post(verb, model, **body)
        assert response.status_code == 200, response.text
        return {key: _array(value) for key, value in response.json().items()}

    async def series(self):
        """The samples of /metrics: their values by name and labels."""
        lines = (await self.client.get("/metrics")).text.splitlines()
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


def _array(value):
    is_tensor = isinstance(value, list) and not any(isinstance(item, dict | str) for item in value)
    return np.array(value, np.float64).astype(np.float32) if is_tensor else value


@asynccontextmanager
async def serving(root, *, ready=True, **settings):
    """A service of the bundles below `root`, by default once it has tried them all."""
    app = create_app(
        Settings(repository=root, **{"device": "cpu", "runs": 2, "journal": False, "loader": False} | settings)
    )
    async with (
        app.router.lifespan_context(app),
        AsyncClient(
            transport=ASGITransport(app), base_url="http://localhost", event_hooks={"response": [leaks.look]}
        ) as client,
    ):
        async with asyncio.timeout(30):
            while ready and not app.state.registry.loaded:
                await asyncio.sleep(0.005)
        yield Service(app, client)


@pytest.fixture(scope="session")
def repository(tmp_path_factory):
    """Bundles that no test changes."""
    root = tmp_path_factory.mktemp("bundles")
    tiny_bundle.publish(root)
    tiny_bundle.publish(root, "labelled", conditional=True)
    tiny_bundle.publish(root, "exact", operations=["score"], exact=True)
    tiny_bundle.publish(root, "autoencoder", operations=["encode", "decode"])
    with np.errstate(over="ignore"):
        tiny_bundle.publish(root, "overflowing", operations=["score", "decode"], bias=OVERFLOWING)
    return root


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def service(repository):
    """With the limits and sizes that it has by default."""
    async with serving(repository) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def small(repository):
    """Runs of three rows, and limits low enough to be met."""
    limits = {"request_rows": 20, "request_samples": 12, "request_rows_times_samples": 48, "request_steps": 10}
    async with serving(repository, batch_rows=3, **limits) as running:
        yield running
