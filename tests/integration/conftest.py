"""A live server on a port of its own, and a client of it."""

import httpx
import numpy as np
import orjson
import pytest

from models.manifest import OPERATIONS
from models.repository import SHIPPED, Repository
from tests import tiny_bundle
from tests.live_server import PATIENCE_SECONDS, live_server


class Model:
    """One model of the live server; a conditional one is asked for its second label."""

    def __init__(self, client, name):
        self.client = client
        self.name = name
        self.metadata = client.get(f"/v2/models/{name}").raise_for_status().json()
        self.given = {"label": 1} if self.metadata["labels"] else {}

    def post(self, verb, **body):
        return self.client.post(f"/v2/models/{self.name}/{verb}", json=self.given | body)

    def ask(self, verb, **body):
        """The answer, its lists of numbers as arrays."""
        response = self.post(verb, **body)
        assert response.status_code == 200, response.text
        return {key: _array(value) for key, value in orjson.loads(response.content).items()}


def newest_shipped(name):
    """The bundle that is served under that name."""
    repository = Repository(SHIPPED)
    return repository.read(name, repository.versions(name)[-1])


def _array(value):
    is_tensor = isinstance(value, list) and not isinstance(value[0], dict)
    return np.array(value, np.float32) if is_tensor else value


SHIPPED_NAMES = sorted({name for name, _ in Repository(SHIPPED).list()})
MANIFESTS = {name: newest_shipped(name).manifest for name in SHIPPED_NAMES}
CAN = {"tiny": OPERATIONS, "autoencoder": ("encode", "decode")} | {
    name: tuple(manifest.operations) for name, manifest in MANIFESTS.items()
}

EXACT = {name for name, made in MANIFESTS.items() if "score" in made.operations and not made.operations["score"].noise}


def those_that(*operations):
    """The models whose manifests on disk have all of these operations."""
    return [name for name, can in CAN.items() if set(operations) <= set(can)]


@pytest.fixture(scope="session")
def repository(tmp_path_factory):
    """Tiny bundles beside those that are shipped."""
    root = tmp_path_factory.mktemp("repository")
    tiny_bundle.publish(root)
    tiny_bundle.publish(root, "autoencoder", operations=["encode", "decode"])
    for name in SHIPPED_NAMES:
        (root / name).symlink_to(SHIPPED / name)
    return root


@pytest.fixture(scope="session")
def address(repository):
    with live_server(repository=repository, device="cpu", timeout_seconds=PATIENCE_SECONDS / 2) as server:
        server.wait_until_ready()
        yield server.url


@pytest.fixture(scope="session")
def client(address):
    with httpx.Client(base_url=address, timeout=PATIENCE_SECONDS) as client:
        yield client


@pytest.fixture(scope="session", params=CAN)
def model(request, client):
    """Each model in turn."""
    return Model(client, request.param)
