"""The client and its asyncio twin: each verb answers what the service does; failures are told, or cured."""

import asyncio
import inspect
import json
import subprocess
import sys

import httpx
import numpy as np
import pytest

from service.client import AsyncReparam, Problem, Reparam, Unreachable
from service.client.results import Examples
from tests.service.conftest import serving
from tests.service.test_generative import LABELS, MASK, X, Z
from tests.tiny_bundle import publish

VERBS = {
    "sample": {"num_samples": 3},
    "encode": {"x": X, "temperature": 0.5},
    "decode": {"z": Z, "temperature": 1.0, "outputs": ["x", "z"]},
    "reconstruct": {"x": X},
    "interpolate": {"start": {"x": X[0]}, "end": {"seed": 5, "index": 2}, "steps": 4, "path": "linear"},
    "traverse": {"origin": {"z": Z[1]}, "dimension": 1, "values": [-1.0, 0.5]},
    "complete": {"x": X, "mask": MASK},
    "criticize": {"x": X},
}


class Bridge(httpx.BaseTransport):
    """Lets a client that blocks ask an app on the event loop that its thread does not run."""

    def __init__(self, app, loop):
        self._inner, self._loop = httpx.ASGITransport(app), loop

    def handle_request(self, request):
        async def answer():
            response = await self._inner.handle_async_request(request)
            return response.status_code, response.headers, await response.aread()

        status, headers, content = asyncio.run_coroutine_threadsafe(answer(), self._loop).result()
        return httpx.Response(status, headers=headers, content=content)


class Plain:
    """The client in a thread, so that both twins are awaited by the tests."""

    def __init__(self, client):
        self.client = client

    def __getattr__(self, name):
        async def ask(*args, **kwargs):
            return await asyncio.to_thread(lambda: getattr(self.client, name)(*args, **kwargs))

        return ask

    async def rows(self, *args, **kwargs):
        return await asyncio.to_thread(lambda: list(self.client.sample_stream(*args, **kwargs)))


class Awaited:
    def __init__(self, client):
        self.client = client

    def __getattr__(self, name):
        return getattr(self.client, name)

    async def rows(self, *args, **kwargs):
        return [row async for row in self.client.sample_stream(*args, **kwargs)]


@pytest.fixture(params=["Reparam", "AsyncReparam"])
def twin(request):
    """Makes either client of an app."""

    def of(app):
        if request.param == "Reparam":
            return Plain(Reparam("http://localhost", transport=Bridge(app, asyncio.get_running_loop())))
        return Awaited(AsyncReparam("http://localhost", transport=httpx.ASGITransport(app)))

    return of


@pytest.fixture
def client(twin, service):
    return lambda: twin(service.app)


@pytest.mark.parametrize("verb", VERBS)
async def test_verb_answers_what_the_service_does(client, service, verb):
    asked = VERBS[verb]
    found = await getattr(client(), verb)("tiny", **asked, seed=3, index=2)
    lists = json.loads(json.dumps(asked, default=np.ndarray.tolist))
    told = await service.ask(verb, **lists, seed=3, index=2)
    for name, value in told.items():
        assert np.array_equal(getattr(found, name), value), name
    assert {type(getattr(found, name)) for name in told} <= {np.ndarray, str, int}


async def test_scores_are_columns_of_the_rows(client, service):
    found = await client().score("tiny", X, samples=4, seed=3, index=2)
    told = (await service.post("score", x=X.tolist(), samples=4, seed=3, index=2)).json()
    assert (found.kind, found.unit, found.samples, found.seed) == ("lower_bound", "nats", 4, 3)
    for i, row in enumerate(told["rows"]):
        for name in ("elbo", "elbo_std_error", "importance_weighted_bound", "effective_sample_size", "reliable"):
            assert getattr(found, name)[i] == row[name]
        assert {name: values[i] for name, values in found.terms.items()} == row["terms"]
    assert np.isnan(found.percentile).all()  # fewer samples than the calibration's
    assert found.reasons == (None,) * 5


async def test_target_is_met(client):
    found = await client().score("tiny", X[:2], samples=32, target_std_error=0.05, seed=1)
    assert found.samples > 32
    assert (found.importance_weighted_bound_std_error <= 0.05).all()


async def test_rows_that_overflow_are_nan_and_say_why(client):
    found = await client().score("overflowing", np.zeros((1, 2, 2)), samples=4, seed=3)
    assert np.isnan(found.elbo).all()
    assert "overflowed" in found.reasons[0]


@pytest.mark.parametrize("outputs", [["mean"], ["z"], ["x"]])
async def test_one_output_comes_as_npy_and_is_the_same(client, outputs):
    whole = await client().sample("tiny", 3, seed=4, index=1, outputs=["x", "z", "mean"])
    alone = await client().sample("tiny", 3, seed=4, index=1, outputs=outputs)
    assert isinstance(alone, Examples)
    assert np.array_equal(getattr(alone, outputs[0]), getattr(whole, outputs[0]))
    for name in ("model", "version", "digest", "seed", "index"):
        assert getattr(alone, name) == getattr(whole, name)


@pytest.mark.parametrize("kind", ["<f8", ">f4", "<i8", "|u1", "?"])
async def test_array_of_any_type_is_taken(client, kind):
    found, expected = [await client().encode("tiny", x, seed=1) for x in (X.astype(kind), X)]
    assert np.array_equal(found.z, expected.z)


async def test_labels_go_with_an_array(client, service):
    found = await client().encode("labelled", X, label=LABELS, seed=1)
    told = await service.ask("encode", "labelled", x=X.tolist(), label=LABELS, seed=1)
    assert np.array_equal(found.z, told["z"])
    many = await client().encode("labelled", np.resize(X, (300, 2, 2)), label=np.resize(LABELS, 300), seed=1)
    assert np.array_equal(many.z[:5], found.z)


async def test_stream_is_the_sample_row_by_row(client):
    rows = await client().rows("tiny", 5, seed=2, index=7)
    whole = await client().sample("tiny", 5, seed=2, index=7)
    assert [row.index for row in rows] == [7, 8, 9, 10, 11]
    assert np.array_equal([row.x for row in rows], whole.x)
    assert np.array_equal([row.z for row in rows], whole.z)


async def test_models_are_listed_and_described(client):
    listed = await client().models()
    assert {state.name for state in listed} >= {"tiny", "exact"}
    found = await client().model("exact")
    assert (found.operations, found.versions, found.shapes["x"]) == (("score",), ("1",), [2, 2])
    assert found.x["support"] == "binary"
    assert "sample" in found.absent
    assert await client().ready() is True


async def test_service_that_loads_is_not_ready(twin, tmp_path):
    publish(tmp_path)
    async with serving(tmp_path) as running:
        running.app.state.registry.reasons = lambda: ["loading"]
        assert await twin(running.app).ready() is False


async def test_picture_is_a_png(client):
    assert (await client().sample_picture("tiny", 4, seed=1)).startswith(b"\x89PNG")


async def test_older_version_is_asked_for_by_number(client):
    assert (await client().sample("tiny", seed=1, version=1)).version == 1
    with pytest.raises(Problem, match="no such model or version"):
        await client().sample("tiny", version=9)


async def test_refusal_has_the_fields_of_the_problem(client):
    with pytest.raises(Problem, match="autoencoder cannot sample") as refused:
        await client().sample("autoencoder")
    problem = refused.value
    assert (problem.status, problem.title) == (422, "Capability Not Supported")
    assert problem.type == "urn:reparam:capability-not-supported"
    assert problem.operations == ("encode", "decode")
    assert problem.request_id
    with pytest.raises(Problem, match="no such model") as refused:
        await client().preview("nobody?")
    assert refused.value.status == 404


async def test_what_is_not_finite_is_refused_before_it_is_sent(client):
    with pytest.raises(ValueError, match="x holds a value that is not finite"):
        await client().encode("tiny", np.full((1, 2, 2), np.nan))


def test_address_without_a_scheme_is_refused():
    with pytest.raises(ValueError, match="http://"):
        Reparam("localhost:8000")


def test_unknown_argument_is_refused():
    with Reparam("http://localhost") as client, pytest.raises(TypeError, match="sed"):
        client.sample("tiny", sed=7)


def test_methods_keep_names_and_words():
    for kind in (Reparam, AsyncReparam):
        with_client = kind("http://localhost")
        assert with_client.score.__doc__.startswith("Bounds of log p(x)")
        assert "target_std_error" in inspect.signature(with_client.score).parameters


REFUSED = {"type": "urn:reparam:queue-full", "title": "Queue Full", "status": 503, "detail": "busy", "request_id": "a"}
HEAD = {"Reparam-Model": "tiny/1", "Reparam-Digest": "0", "Reparam-Seed": "3"}


def busy(status=503, **headers):
    return httpx.Response(status, headers={"Content-Type": "application/problem+json"} | headers, json=REFUSED)


def answered(request):
    return httpx.Response(200, json={"model": "tiny", "version": 1, "digest": "0", "seed": 3, "index": 0, "x": [[1]]})


class Scripted:
    """Outcomes in turn, a clock that only sleep moves, and what was asked and slept."""

    def __init__(self, kind, *outcomes, **patience):
        self.outcomes, self.requests, self.slept, self.now = list(outcomes), [], [], 0.0
        self.is_async = kind is AsyncReparam
        sleep = self.sleep_async if self.is_async else self.sleep
        given = {"transport": httpx.MockTransport(self.answer), "sleep": sleep, "clock": lambda: self.now}
        self.client = kind("http://localhost", **given, **patience)

    def answer(self, request):
        self.requests.append(request)
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome(request) if callable(outcome) else outcome

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds

    async def sleep_async(self, seconds):
        self.sleep(seconds)

    async def ask(self, verb="sample", *args, **kwargs):
        found = getattr(self.client, verb)(*args or ("tiny",), **kwargs)
        return await found if self.is_async else found

    async def rows(self, *args, **kwargs):
        found = self.client.sample_stream(*args, **kwargs)
        return [row async for row in found] if self.is_async else list(found)


@pytest.fixture(params=[Reparam, AsyncReparam])
def scripted(request):
    return lambda *outcomes, **patience: Scripted(request.param, *outcomes, **patience)


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("refused"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("disconnected"),
        lambda request: busy(503),
        lambda request: busy(429),
    ],
)
async def test_what_passes_is_asked_again_with_the_same_seed(scripted, failure):
    script = scripted(failure, failure, answered)
    assert (await script.ask()).x is not None
    seeds = {json.loads(request.content)["seed"] for request in script.requests}
    assert (len(script.requests), len(seeds)) == (3, 1)
    assert 0.05 <= script.slept[0] <= 0.1 <= script.slept[1] <= 0.2


async def test_retry_after_is_kept(scripted):
    script = scripted(busy(**{"Retry-After": "7"}), busy(**{"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), answered)
    await script.ask()
    assert 7 <= script.slept[0] <= 7.1
    assert script.slept[1] <= 0.2


async def test_waits_grow_to_five_seconds(scripted):
    script = scripted(*[busy() for _ in range(20)], answered, timeout=1000)
    await script.ask()
    assert 2.5 <= max(script.slept) <= 5


async def test_nothing_is_waited_for_beyond_the_timeout(scripted):
    script = scripted(busy(**{"Retry-After": "100"}), timeout=60)
    with pytest.raises(Problem, match="busy") as refused:
        await script.ask()
    assert (script.slept, refused.value.status, refused.value.request_id) == ([], 503, "a")


async def test_connection_that_stays_refused_is_told(scripted):
    script = scripted(*[httpx.ConnectError("connection refused")] * 9, retries=3)
    with pytest.raises(Unreachable, match="connection refused"):
        await script.ask()
    assert len(script.requests) == 4


@pytest.mark.parametrize("status", [400, 401, 404, 413, 422, 500, 504])
async def test_what_would_not_pass_is_asked_once(scripted, status):
    script = scripted(httpx.Response(status, json={**REFUSED, "status": status}))
    with pytest.raises(Problem) as refused:
        await script.ask()
    assert (len(script.requests), refused.value.status) == (1, status)


async def test_refusal_of_another_in_between_is_told(scripted):
    script = scripted(httpx.Response(502, text="<html>no upstream</html>"))
    with pytest.raises(Problem, match="no upstream") as refused:
        await script.ask()
    assert (refused.value.status, refused.value.title) == (502, "Bad Gateway")


async def test_service_is_told_the_time_that_is_left(scripted):
    script = scripted(busy(**{"Retry-After": "20"}), answered, timeout=60)
    await script.ask()
    first, second = (int(request.headers["X-Request-Timeout-Ms"]) for request in script.requests)
    assert first == 60_000
    assert 39_000 < second <= 40_000


async def test_key_goes_in_a_header(scripted):
    script = scripted(answered)
    assert "Authorization" not in (await script.ask(), script.requests)[1][0].headers
    client = type(script.client)("http://localhost", "secret", transport=httpx.MockTransport(script.answer))
    script.client, script.outcomes = client, [answered]
    await script.ask()
    assert script.requests[-1].headers["Authorization"] == "Bearer secret"


def lines(*indices, then=None):
    """A stream of those rows, that breaks off if `then` is an error."""

    class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self):
            for index in indices:
                yield json.dumps({"index": index, "x": [1]}).encode() + b"\n"
            if then:
                raise then

        async def __aiter__(self):
            for line in self:
                yield line

    return httpx.Response(200, stream=Body())


async def test_stream_that_breaks_off_is_taken_up_where_it_was(scripted):
    script = scripted(lines(5, 6, then=httpx.ReadError("reset")), busy(), lines(7, 8))
    assert [row.index for row in await script.rows("tiny", 4, index=5)] == [5, 6, 7, 8]
    asked = [json.loads(request.content) for request in script.requests]
    assert [(each["index"], each["num_samples"]) for each in asked] == [(5, 4), (7, 2), (7, 2)]
    assert len({each["seed"] for each in asked}) == 1


async def test_stream_without_progress_is_given_up(scripted):
    script = scripted(lines(0, then=httpx.ReadError("reset")), lines(then=httpx.ReadError("reset")))
    with pytest.raises(Unreachable, match="reset"):
        await script.rows("tiny", 4)


async def test_problem_in_the_last_line_is_raised(scripted):
    def failing(request):
        return httpx.Response(200, text='{"index":0,"x":[1]}\n' + json.dumps(REFUSED) + "\n")

    with pytest.raises(Problem, match="busy"):
        await scripted(failing).rows("tiny", 4)


def test_client_needs_httpx_and_numpy_only():
    code = """
import sys
import httpx, numpy, pydantic
before = set(sys.modules)
from service.client import Reparam, AsyncReparam
print(*{module.split(".")[0] for module in set(sys.modules) - before})
print(*[module for module in sys.modules if module.startswith("service")])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    new, own = (set(line.split()) for line in run.stdout.splitlines())
    assert new - sys.stdlib_module_names <= {"service", "numpy"}
    assert all(module == "service" or module.startswith("service.client") for module in own)
