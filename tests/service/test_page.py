"""The playground's files: each as what it is, light, complete in itself, and there without a key."""

import re

import pytest

from service.routes.page import FILES
from tests.service.conftest import serving

MOST_BYTES = 150_000
TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
PATHS = ["/", *(f"/static/{name}" for name in FILES)]


@pytest.mark.parametrize("path", PATHS)
async def test_file_comes_as_what_it_is_and_may_do_only_what_the_page_needs(service, path):
    answer = await service.client.get(path)
    assert answer.status_code == 200
    kind = TYPES[path.rpartition(".")[2]] if path != "/" else "text/html"
    assert answer.headers["Content-Type"].partition(";")[0] == kind
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/static/app.js"])
async def test_file_that_the_browser_has_is_not_sent_again(service, path):
    first = await service.client.get(path)
    assert first.headers["Cache-Control"] == "no-cache"
    for known in (first.headers["ETag"], f'"other", W/{first.headers["ETag"]}', "*"):
        again = await service.client.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
    assert (await service.client.get(path, headers={"If-None-Match": '"other"'})).content == first.content


@pytest.mark.parametrize("name", ["nowhere.js", "", "../app.py", "..%2fapp.py", "views", "/etc/passwd", "app.js/"])
async def test_file_that_is_not_of_the_page_is_a_404(service, name):
    answer = await service.client.get(f"/static/{name}")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_page_comes_without_a_key_where_the_models_need_one(repository, tmp_path):
    (tmp_path / "keys").write_text("")
    async with serving(repository, keys=tmp_path / "keys") as service:
        assert [(await service.client.get(path)).status_code for path in PATHS] == [200] * len(PATHS)
        assert (await service.client.get("/v2/models")).status_code == 401


def test_page_is_light():
    assert sum(len(file.content) for file in FILES.values()) <= MOST_BYTES


@pytest.mark.parametrize("name", FILES)
def test_page_asks_nobody_else_and_has_no_code_or_style_in_its_markup(name):
    text = FILES[name].content.decode().replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|[\"'(]//\w", text)
    if name.endswith(".html"):
        assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)", text)
    assert 'setAttribute("style"' not in text


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith((".js", ".html"))])
def test_every_file_that_is_named_is_there(name):
    folder = name.rpartition("/")[0]
    text = FILES[name].content.decode()
    for path in re.findall(r'from "(\.{1,2}/[^"]+)"|"/static/([^"]+)"', text):
        local, static = path
        parts = (f"{folder}/{local}" if folder else local).replace("views/../", "").split("/")
        assert (static or "/".join(part for part in parts if part != ".")) in FILES


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".js")])
def test_first_line_of_a_file_says_what_it_is_for(name):
    lines = FILES[name].content.decode().splitlines()
    assert lines[0].startswith("// ")
    assert len(lines) <= 200
