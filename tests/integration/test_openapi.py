"""The examples of the OpenAPI page are what a server answers."""

import json

import httpx
import pytest

from service.schemas.examples import EXAMPLES
from tests.examples import ask
from tests.live_server import live_server
from tests.pages import comparable


@pytest.fixture(scope="module")
def client():
    """Of a server of the shipped bundles alone, as anybody starts it."""
    with live_server() as server:
        server.wait_until_ready()
        with httpx.Client(base_url=server.url, timeout=60) as client:
            yield client


def without_nulls(value):
    """FastAPI leaves them out of the page."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("verb", EXAMPLES)
def test_example_on_the_page_is_answered_as_it_says(client, verb):
    route = client.get("/openapi.json").json()["paths"][f"/v2/models/{{model}}/{verb}"]["post"]
    [(model, asked)] = route["requestBody"]["content"]["application/json"]["examples"].items()
    [said] = route["responses"]["200"]["content"]["application/json"]["examples"].values()
    answered = client.post(f"/v2/models/{model}/{verb}", json=asked["value"])
    assert answered.status_code == 200, answered.text
    assert comparable(without_nulls(answered.json())) == comparable(without_nulls(said["value"]))


@pytest.mark.parametrize("verb", [verb for verb in EXAMPLES if verb != "infer"])
def test_lines_on_the_page_are_answered_as_it_says(client, verb):
    route = client.get("/openapi.json").json()["paths"][f"/v2/models/{{model}}/{verb}"]["post"]
    said = route["responses"]["200"]["content"]["application/x-ndjson"]["example"]
    answered = ask(client, verb, EXAMPLES[verb]).lines
    for line, printed in zip(answered.splitlines(), said.splitlines(), strict=True):
        assert comparable(json.loads(line)) == comparable(json.loads(printed))
