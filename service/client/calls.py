"""The verbs as functions: what each one asks, and of what kind its answer is. Nothing is sent here.

All can be sent twice without harm: whatever is drawn is named by its seed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from numpy.typing import ArrayLike

from service.client import reading
from service.client.arrays import as_numbers
from service.client.asking import JSON, LINES, PNG, Drawing, How, call, content, end_of_path, fields, of_model, post
from service.client.call import Call, Lines
from service.client.results import Codes, Examples, Model, ModelState, Realness, Row, Scores

End = Mapping[str, Any]


def sample(model: str, num_samples: int = 1, **how: Unpack[Drawing]) -> Call[Examples]:
    """Draw new examples: `x` and its code `z`, and `mean` if `outputs` names it."""
    return call(Examples, model, "sample", how, num_samples=num_samples)


def sample_stream(model: str, num_samples: int = 1, **how: Unpack[Drawing]) -> Lines[Row]:
    """Draw new examples and have each as it is ready; a stream that breaks off is taken up where it was."""
    first = fields(**how)

    def after(rows: int) -> Call[bytes]:
        rest = {**how, "seed": first["seed"], "index": first["index"] + rows}
        return post(model, "sample", rest, LINES, content, num_samples=num_samples - rows)

    return Lines(num_samples, after, reading.row)


def sample_picture(model: str, num_samples: int = 1, **how: Unpack[Drawing]) -> Call[bytes]:
    """Draw new examples as one PNG, a grid about as wide as high."""
    return post(model, "sample", how, PNG, content, num_samples=num_samples)


def encode(model: str, x: ArrayLike, **how: Unpack[Drawing]) -> Call[Codes]:
    """Codes of examples; temperature 0 gives the posterior's mean, 1 a draw from it."""
    return call(Codes, model, "encode", how, tensor=("x", x))


def decode(model: str, z: ArrayLike, **how: Unpack[Drawing]) -> Call[Examples]:
    """Examples of codes."""
    return call(Examples, model, "decode", {"outputs": ("x",), **how}, tensor=("z", z))


def reconstruct(model: str, x: ArrayLike, **how: Unpack[Drawing]) -> Call[Examples]:
    """Encode and decode again."""
    return call(Examples, model, "reconstruct", how, tensor=("x", x))


def interpolate(
    model: str, start: End, end: End, steps: int = 8, path: str = "spherical", **how: Unpack[Drawing]
) -> Call[Examples]:
    """Decode the codes on a path between two ends, each an `x`, a `z`, or the sample of a `seed` and `index`."""
    ends = {"start": end_of_path(start), "end": end_of_path(end)}
    return call(Examples, model, "interpolate", how, **ends, steps=steps, path=path)


def traverse(
    model: str, origin: End, dimension: int, values: Sequence[float], **how: Unpack[Drawing]
) -> Call[Examples]:
    """Decode one code with one of its dimensions set to each of some values; `origin` is as an end of a path."""
    places = as_numbers("values", values).tolist()
    return call(Examples, model, "traverse", how, origin=end_of_path(origin), dimension=dimension, values=places)


def score(
    model: str, x: ArrayLike, samples: int = 16, target_std_error: float | None = None, **how: Unpack[How]
) -> Call[Scores]:
    """Bounds of log p(x), or log p(x) itself where the model has it; a target has samples drawn until it is met."""
    target = None if target_std_error is None else float(target_std_error)
    return post(model, "score", how, JSON, reading.scores, ("x", x), samples=samples, target_std_error=target)


def complete(model: str, x: ArrayLike, mask: ArrayLike, **how: Unpack[Drawing]) -> Call[Examples]:
    """Keep x where the mask is 1 and draw the rest."""
    data = {"x": as_numbers("x", x).tolist(), "mask": as_numbers("mask", mask).tolist()}
    return post(model, "complete", how, JSON, reading.of_json(Examples), **data)


def criticize(model: str, x: ArrayLike, **how: Unpack[How]) -> Call[Realness]:
    """How real a discriminator or critic finds examples."""
    return call(Realness, model, "criticize", how, tensor=("x", x))


def models() -> Call[tuple[ModelState, ...]]:
    """Every bundle of the repository, those that are refused with the reason."""
    return Call("GET", "/v2/models", reading.models)


def model(name: str, version: int | None = None) -> Call[Model]:
    """What a model is: its shapes, operations, figures and provenance."""
    return Call("GET", of_model(name, version), reading.model)


def preview(name: str, version: int | None = None) -> Call[bytes]:
    """The bundle's picture, a PNG."""
    return Call("GET", f"{of_model(name, version)}/preview.png", content)


def ready() -> Call[bool]:
    """Whether the models are loaded and requests are taken."""
    return Call("GET", "/readyz", lambda response: response.status_code == 200, accepts=frozenset({200, 503}))
