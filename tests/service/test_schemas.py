"""What /openapi.json says is what is taken and answered."""

import pytest
from pydantic import BaseModel

from models.manifest import OPERATIONS
from service.app import create_app
from service.schemas import inference, requests, responses
from service.schemas.examples import EXAMPLES
from service.schemas.models import ModelList, ModelMetadata
from service.settings import Settings
from tests.service.test_reproducibility import NOISY, PATHS, ROWS, body

VERBS = [*NOISY, *PATHS, "criticize"]
PREFIXES = ("/v2/models/{model}", "/v2/models/{model}/versions/{version}")
GETS = {"/livez": responses.Health, "/readyz": responses.Health, "/v2/models": ModelList}
GETS |= dict.fromkeys(PREFIXES, ModelMetadata)
PROTOCOL = {"/v2": inference.ServerMetadata, "/v2/models/stats": inference.StatisticsResponse}
PROTOCOL |= {"/v2/health/live": inference.ServerLive, "/v2/health/ready": inference.ServerReady}
PROTOCOL |= {f"{prefix}/ready": inference.ModelReady for prefix in PREFIXES}
PROTOCOL |= {f"{prefix}/config": inference.ModelConfig for prefix in PREFIXES}
PROTOCOL |= {f"{prefix}/stats": inference.StatisticsResponse for prefix in PREFIXES}
GETS |= PROTOCOL
OTHERS = {"/metrics", *(f"{prefix}/preview.png" for prefix in PREFIXES)}
POSTS = {"/v2/repository/index", *(f"/v2/repository/models/{{model}}/{call}" for call in ("load", "unload"))}
POSTS |= {f"{prefix}/infer" for prefix in PREFIXES}


@pytest.fixture(scope="module")
def page():
    return create_app(Settings(device="cpu", loader=False)).openapi()


def schema(model: type[BaseModel], mode):
    """The model's own JSON schema, as the page would refer to its parts."""
    whole = model.model_json_schema(mode=mode, ref_template="#/components/schemas/{model}")
    return {**whole.pop("$defs", {}), model.__name__: whole}


def plain(value):
    """FastAPI leaves out what is None."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if item is not None}
    return [plain(item) for item in value] if isinstance(value, list) else value


def check(page, content, model, mode):
    assert content["application/json"]["schema"] == {"$ref": f"#/components/schemas/{model.__name__}"}
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


def test_infer_on_the_page_is_the_pydantic_model(page):
    for prefix in PREFIXES:
        route = page["paths"][f"{prefix}/infer"]["post"]
        for content in (route["requestBody"]["content"], route["responses"]["200"]["content"]):
            assert set(content) == {"application/json", "application/octet-stream"}
        check(page, route["requestBody"]["content"], inference.InferRequest, "validation")
        check(page, route["responses"]["200"]["content"], inference.InferResponse, "serialization")


BODIES = ["application/json", "application/x-npy", "image/png", "text/plain"]
ANSWERS = [*BODIES, "application/x-ndjson"]


@pytest.mark.parametrize("verb", VERBS)
async def test_body_types_on_the_page_are_taken_and_no_others(page, service, verb):
    content = page["paths"][f"{PREFIXES[0]}/{verb}"]["post"]["requestBody"]["content"]
    for kind in BODIES:
        response = await service.client.post(f"/v2/models/tiny/{verb}", content=b"", headers={"content-type": kind})
        assert response.status_code == (400 if kind in content else 415)


@pytest.mark.parametrize("verb", VERBS)
async def test_answer_types_on_the_page_are_answered_and_no_others(page, service, verb):
    content = page["paths"][f"{PREFIXES[0]}/{verb}"]["post"]["responses"]["200"]["content"]
    for kind in ANSWERS:
        asked = {"x": ROWS} if verb == "criticize" else body(verb)
        response = await service.post(verb, headers={"accept": kind}, **asked)
        assert response.status_code == (200 if kind in content else 406)
        assert response.headers["content-type"] == (kind if kind in content else "application/problem+json")


@pytest.mark.parametrize("verb", VERBS)
def test_query_on_the_page_has_the_fields_beside_the_tensor(page, verb):
    route = page["paths"][f"{PREFIXES[0]}/{verb}"]["post"]
    query = {field["name"] for field in route["parameters"] if field["in"] == "query"}
    is_json_alone = set(route["requestBody"]["content"]) == {"application/json"}
    fields = set(name(verb, "Request").model_fields) - {"x", "z"}
    assert query == (set() if is_json_alone else fields)


def test_every_verb_on_the_page_has_its_example(page):
    for verb in [*VERBS, "infer"]:
        route = page["paths"][f"{PREFIXES[0]}/{verb}"]["post"]
        [asked] = route["requestBody"]["content"]["application/json"]["examples"].values()
        [answered] = route["responses"]["200"]["content"]["application/json"]["examples"].values()
        assert asked["value"] == EXAMPLES[verb].request
        kind = inference.InferRequest if verb == "infer" else name(verb, "Request")
        assert kind.model_validate(asked["value"])
        kind = inference.InferResponse if verb == "infer" else name(verb, "Response")
        assert kind.model_validate(EXAMPLES[verb].answer)
        assert plain(answered["value"]) == plain(EXAMPLES[verb].answer)


@pytest.mark.parametrize("path", GETS)
def test_other_routes_on_the_page_are_the_pydantic_models(page, path):
    assert set(page["paths"][path]) == {"get"}
    content = page["paths"][path]["get"]["responses"]["200"]["content"]
    assert set(content) == {"application/json"}
    check(page, content, GETS[path], "serialization")


def test_page_lists_every_route_and_no_other(page):
    assert set(page["paths"]) == {
        *GETS,
        *OTHERS,
        *POSTS,
        *(f"{prefix}/{verb}" for prefix in PREFIXES for verb in VERBS),
    }


def test_problems_on_the_page_have_their_type_and_shape(page):
    expected = plain(responses.Problem.model_json_schema())
    for route in page["paths"].values():
        for operation in route.values():
            listed = {status: answer for status, answer in operation["responses"].items() if status != "200"}
            assert set(listed) >= {
                "400",
                "401",
                "403",
                "408",
                "413",
                "429",
                "431",
                "503",
                "504",
            }  # as any request may be
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


@pytest.mark.parametrize("path", GETS)
async def test_every_get_is_its_response_model(service, path):
    response = await service.client.get(path.format(model="labelled", version=1))
    kind = GETS[path]
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
