"""Who may ask for what: keys and scopes, rates, hosts, pages of other sites, and addresses that others can reach."""

import pytest

from service.app import create_app
from service.gate import Unguarded, scope_of
from service.keys import line_of, text_of
from service.settings import Settings
from tests.service.conftest import serving

SAMPLE, INDEX, LOAD = "/v2/models/tiny/sample", "/v2/repository/index", "/v2/repository/models/tiny/load"
ALL = ("infer", "metadata", "admin")


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


@pytest.fixture
def key(tmp_path):
    """key(*scopes): a new key in the file `tmp_path / "keys"`."""

    def make(*scopes, name="alice", rate=""):
        text = text_of(name)
        with (tmp_path / "keys").open("a") as file:
            file.write(f"{line_of(text, list(scopes), rate)}\n")
        return text

    return make


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
async def test_on_loopback_nobody_needs_a_key(repository, host):
    async with serving(repository, host=host) as service:
        assert (await service.post("sample")).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "models.example"])
def test_other_addresses_need_keys_or_the_operators_word(repository, host, key, tmp_path):
    with pytest.raises(Unguarded, match="--keys"):
        create_app(Settings(repository=repository, device="cpu", loader=False, host=host))
    key("infer")
    create_app(Settings(repository=repository, device="cpu", loader=False, host=host, keys=tmp_path / "keys"))
    create_app(Settings(repository=repository, device="cpu", loader=False, host=host, open=True))
    with pytest.raises(Unguarded, match="--admin needs --keys"):
        create_app(Settings(repository=repository, device="cpu", loader=False, host=host, open=True, admin=True))


@pytest.mark.parametrize("header", [lambda text: bearer(text), lambda text: {"X-API-Key": text}])
async def test_key_opens_what_its_scopes_name(repository, tmp_path, key, header):
    text = key(*ALL)
    async with serving(repository, keys=tmp_path / "keys", admin=True) as service:
        for method, path in (("POST", SAMPLE), ("POST", INDEX), ("POST", LOAD), ("GET", "/metrics")):
            body = {"json": {}} if path == SAMPLE else {}
            assert (await service.client.request(method, path, headers=header(text), **body)).status_code == 200


@pytest.mark.parametrize("headers", [{}, bearer("alice.wrong"), bearer(""), {"Authorization": "Basic YTpi"}])
@pytest.mark.parametrize("path", [SAMPLE, INDEX, LOAD, "/v2/models/nobody/sample", "/nowhere"])
async def test_without_a_key_that_holds_it_is_401(repository, tmp_path, key, headers, path):
    key(*ALL)
    async with serving(repository, keys=tmp_path / "keys") as service:
        response = await service.client.post(path, json={}, headers=headers)
        assert response.status_code == 401
        assert response.json()["type"] == "urn:reparam:unauthenticated"


@pytest.mark.parametrize(
    ("scope", "path"), [("metadata", SAMPLE), ("infer", INDEX), ("infer", LOAD), ("metadata", LOAD)]
)
async def test_key_without_the_scope_is_403(repository, tmp_path, key, scope, path):
    text = key(scope)
    async with serving(repository, keys=tmp_path / "keys", admin=True) as service:
        response = await service.client.post(path, json={}, headers=bearer(text))
        assert response.status_code == 403
        assert response.json()["type"] == "urn:reparam:scope-missing"


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/v2/health/live", "/v2/health/ready"])
async def test_health_needs_no_key(repository, tmp_path, key, path):
    key("infer")
    async with serving(repository, keys=tmp_path / "keys") as service:
        assert (await service.client.get(path)).status_code == 200


async def test_models_are_not_loaded_over_http_unless_the_operator_wants_it(service):
    response = await service.client.post(LOAD)
    assert response.status_code == 403


async def test_key_may_ask_as_often_as_its_rate_and_is_told_when_again(repository, tmp_path, key):
    text, other = key("infer", rate="2/hour"), key("infer", name="bob")
    async with serving(repository, keys=tmp_path / "keys", rate="4/hour") as service:
        answers = [await service.post("sample", headers=bearer(text)) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert 0 < int(answers[2].headers["Retry-After"]) <= 3600
        others = [await service.post("sample", headers=bearer(other)) for _ in range(5)]
        assert [answer.status_code for answer in others] == [200] * 4 + [429]


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "localhost:99999999", "a b", "127.0.0.2"])
async def test_host_that_is_none_of_its_names_is_400(service, host):
    response = await service.client.get("/livez", headers={"Host": host})
    assert response.status_code == 400
    assert response.json()["type"] == "urn:reparam:host-not-allowed"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000", "models.example:80"])
async def test_host_that_is_one_of_its_names_is_answered(repository, host):
    async with serving(repository, hosts="models.example, other.example") as service:
        assert (await service.client.get("/livez", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://localhost"}, 200),
        ({"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:81"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
async def test_page_of_another_site_may_not_have_a_browser_ask(service, headers, status):
    assert (await service.post("sample", headers=headers)).status_code == status


async def test_every_answer_tells_browsers_to_run_and_show_nothing(service):
    for response in (await service.post("sample"), await service.client.get("/nowhere")):
        assert response.headers["content-security-policy"].startswith("default-src 'none'")
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize(("setting", "path"), [("metrics", "/metrics"), ("docs", "/openapi.json"), ("docs", "/docs")])
async def test_what_is_switched_off_is_not_there(repository, setting, path):
    async with serving(repository, **{setting: False}) as service:
        assert (await service.client.get(path)).status_code == 404


def test_scopes_are_by_what_is_asked():
    assert scope_of("POST", SAMPLE) == "infer"
    assert scope_of("GET", "/v2/models/tiny") == scope_of("GET", "/metrics") == scope_of("POST", INDEX) == "metadata"
    assert scope_of("POST", LOAD) == "admin"
    assert scope_of("GET", "/livez") is None
