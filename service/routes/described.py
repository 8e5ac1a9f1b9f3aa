"""What /openapi.json says of a verb: each type of body and of answer, with an example that a test asks again."""

from typing import Any

from service.routes.answers import offered
from service.routes.negotiation import JSON, LINES, NPY, PNG
from service.routes.payload_route import taken_by
from service.schemas.examples import EXAMPLES
from service.schemas.requests import Request
from service.schemas.responses import Response

_BINARY = {"type": "string", "format": "binary"}
_BODIES = {
    NPY: "The rows of the one tensor, as numpy.save writes them: <f4, <f8, <i8 or |u1. Other fields go in the query.",
    PNG: "One image of the model's size, grey or RGB without alpha. Other fields go in the query.",
}
_ANSWERS = {
    NPY: "The first output, as numpy.load reads it.",
    PNG: "A grid of `mean` where there is one, else of `x`; of models of images.",
    LINES: "A line of JSON a row, as they are ready; a failure midway is a last line with the problem.",
}
_IN_QUERY = ("seed", "index", "temperature", "label", "outputs", "num_samples", "samples", "target_std_error")


def described(verb: str, request: type[Request], response: type[Response]) -> dict[str, Any]:
    """The arguments of a route that say so."""
    answers: dict[str, dict[str, Any]] = {
        kind: {"schema": _BINARY | {"description": _ANSWERS[kind]}} for kind in offered(response)[1:]
    }
    bodies = {kind: {"schema": _BINARY | {"description": _BODIES[kind]}} for kind in taken_by(request)[1:]}
    example = EXAMPLES[verb]
    answers[LINES]["example"] = example.lines
    return {
        "response_model": response,
        "responses": {200: {"content": {JSON: {"examples": example.of(example.answer)}, **answers}}},
        "openapi_extra": {
            "requestBody": {"content": {JSON: {"examples": example.of(example.request)}, **bodies}},
            "parameters": _query(request) if bodies else [],
        },
    }


def _query(request: type[Request]) -> list[dict[str, Any]]:
    """The fields that stand in the query where the body is a tensor."""
    fields = request.model_json_schema()["properties"]
    return [{"name": name, "in": "query", "schema": fields[name]} for name in _IN_QUERY if name in fields]
