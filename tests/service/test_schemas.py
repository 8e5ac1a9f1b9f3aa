"""What /openapi.json says is what is taken and answered."""

import pytest
from pydantic import BaseModel

from models.manifest import OPERATIONS
from service.app import create_app
from service.schemas import requests, responses
from service.schemas.models import ModelList, ModelMetadata
from service.settings import Settings
from tests.service.test_reproducibility import NOISY, PATHS, ROWS, body

VERBS = [*NOISY, *PATHS, "criticize"]
PREFIXES = ("/v2/models/{model}", "/v2/models/{model}/versions/{version}")
GETS = {"/livez": responses.Health, "/readyz": responses.Health, "/v2/models": ModelList}
GETS |= dict.fromkeys(PREFIXES, ModelMetadata)
OTHERS = {"/metrics", *(f"{prefix}/preview.png" for prefix in PREFIXES)}


@pytest.fixture(scope="module")
def page():
    return create_app(Settings(device="cpu")).openapi()


def schema(model: type[BaseModel], mode):
    """The model's own JSON schema, as the page would refer to its parts."""
    whole = model.model_json_schema(mode=mode, ref_template="#/components/schemas/{model}")
    return {**whole.pop("$defs", {}), model.__name__: whole}


def plain(value):
    """FastAPI leaves out what is None."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if item is not None}
    return [plain(item) for item in value] if isinstance(value, list) else value


def check(page, content, model, mode, media_type="application/json"):
    assert set(content) == {media_type}
    assert content[media_type]["schema"] == {"$ref": f"#/components/schemas/{model.__name__}"}
    for name, expected in schema(model, mode).items():
        assert plain(page["components"]["schemas"][name]) == plain(expected)


def name(verb, suffix):
    return getattr(requests if suffix == "Request" else responses, verb.capitalize() + suffix)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("prefix", PREFIXES)
def test_verbs_on_the_page_are_the_pydantic_models(page, prefix, verb):
    route = page["paths"][f"{prefix}/{verb}"]
    assert set(route) == {"post"}
    assert route["post"]["requestBody"]["required"]
    check(page, route["post"]["requestBody"]["content"], name(verb, "Request"), "validation")
    check(page, route["post"]["responses"]["200"]["content"], name(verb, "Response"), "serialization")


@pytest.mark.parametrize("path", GETS)
def test_other_routes_on_the_page_are_the_pydantic_models(page, path):
    assert set(page["paths"][path]) == {"get"}
    check(page, page["paths"][path]["get"]["responses"]["200"]["content"], GETS[path], "serialization")


def test_page_lists_every_route_and_no_other(page):
    assert set(page["paths"]) == {*GETS, *OTHERS, *(f"{prefix}/{verb}" for prefix in PREFIXES for verb in VERBS)}


def test_problems_on_the_page_have_their_type_and_shape(page):
    expected = plain(responses.Problem.model_json_schema())
    for path, route in page["paths"].items():
        for operation in route.values():
            listed = {status: answer for status, answer in operation["responses"].items() if status != "200"}
            assert set(listed) <= {"400", "404", "406", "413", "415", "422", "503", "504"}
            assert path in ("/livez", "/metrics", "/v2/models") or listed
            for answer in listed.values():
                assert plain(answer["content"]) == {"application/problem+json": {"schema": expected}}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("model", ["tiny", "labelled", "exact", "autoencoder"])
async def test_every_answer_is_its_response_model(service, model, verb):
    asked = {"x": ROWS} if verb == "criticize" else body(verb)
    labels = {"label": 1} if model == "labelled" and verb not in ("complete", "criticize") else {}
    response = await service.post(verb, model, **asked, **labels)
    kind = name(verb, "Response") if response.status_code == 200 else responses.Problem
    answer = kind.model_validate_json(response.content, strict=True, extra="forbid")
    assert response.status_code in (200, 422)
    assert response.status_code == 200 or answer.operations is not None


async def test_all_outputs_fit_into_the_answers(service):
    wanted = {"sample": ["x", "z", "mean"], "encode": ["z", "mean", "log_variance", "kl_per_dimension"]}
    for verb, outputs in wanted.items():
        response = await service.post(verb, outputs=outputs, **body(verb))
        answer = name(verb, "Response").model_validate_json(response.content, strict=True)
        assert set(outputs) <= answer.model_fields_set


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/v2/models", "/v2/models/tiny", "/v2/models/labelled"])
async def test_every_get_is_its_response_model(service, path):
    response = await service.client.get(path)
    kind = GETS.get(path, ModelMetadata)
    assert kind.model_validate_json(response.content, strict=True, extra="forbid")


async def test_metadata_is_that_of_the_default_operation_with_the_manifests_facts(service):
    metadata = (await service.client.get("/v2/models/labelled")).json()
    label = {"name": "label", "datatype": "INT64", "shape": [-1]}
    x = {"name": "x", "datatype": "FP32", "shape": [-1, 2, 2]}
    z = {"name": "z", "datatype": "FP32", "shape": [-1, 2]}
    assert metadata["inputs"] == [label]
    assert metadata["outputs"] == [x, x | {"name": "mean"}, z]
    assert metadata["parameters"]["operations"]["encode"]["inputs"] == [x, label]
    assert metadata["parameters"]["operations"]["encode"]["outputs"][1] == z | {"name": "mean"}
    assert metadata["parameters"]["operations"]["score"]["outputs"][0]["shape"] == [-1, -1]
    assert metadata["operations"] == list(OPERATIONS)
    assert metadata["labels"] == ["plain", "shifted"]
    assert metadata["figures"]["elbo"] == {
        "value": -3.5,
        "std_error": 0.25,
        "unit": "nats",
        "split": "test",
        "examples": 16,
    }


async def test_metadata_of_a_model_that_cannot_sample_is_that_of_encode(service):
    metadata = (await service.client.get("/v2/models/autoencoder")).json()
    assert [tensor["name"] for tensor in metadata["inputs"]] == ["x"]
    assert metadata["absent"] == dict.fromkeys(("sample", "score", "complete", "criticize"), "it was left out")
