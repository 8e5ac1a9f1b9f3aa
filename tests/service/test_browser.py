"""What pages of other sites may not do, and what a browser is told of ours."""

import pytest

from service import browser
from service.refusals import ForeignOrigin

HOST = b"models.example:8000"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_is_for_every_page(method):
    browser.check_origin(method, HOST, b"https://evil.example", b"cross-site")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("origin", "site"),
    [
        (None, None),
        (b"http://models.example:8000", b"same-origin"),
        (b"HTTPS://Models.Example:8000", None),
        (None, b"none"),
        (None, b"same-site"),
    ],
)
def test_own_pages_and_callers_that_are_no_browsers_may_act(method, origin, site):
    browser.check_origin(method, HOST, origin, site)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "MADE-UP"])
@pytest.mark.parametrize(
    ("origin", "site"),
    [
        (b"http://evil.example", None),
        (b"null", None),
        (b"", None),
        (b"http://models.example", None),
        (b"http://models.example:8000.evil.example", None),
        (b"ftp://models.example:8000", None),
        (None, b"cross-site"),
        (b"http://models.example:8000", b"cross-site"),
    ],
)
def test_pages_of_other_sites_may_not(method, origin, site):
    with pytest.raises(ForeignOrigin):
        browser.check_origin(method, HOST, origin, site)


@pytest.mark.parametrize("path", ["/", "/v2", "/v2/models/tiny/sample", "/livez", "/docs", "/static/page.js", "/no"])
def test_no_answer_is_framed_guessed_at_or_read_by_another_site(path):
    told = dict(browser.told(path))
    assert b"frame-ancestors 'none'" in told[b"content-security-policy"]
    assert told[b"cross-origin-resource-policy"] == b"same-origin"
    assert told[b"x-content-type-options"] == b"nosniff"
    assert b"access-control-allow-origin" not in told


@pytest.mark.parametrize("path", ["/v2/models/tiny/sample", "/livez", "/docs/x", "/staticky"])
def test_nothing_in_an_answer_of_the_api_is_run(path):
    assert dict(browser.told(path))[b"content-security-policy"].startswith(b"default-src 'none'")


@pytest.mark.parametrize("path", ["/", "/static/page.js"])
def test_page_takes_nothing_from_elsewhere(path):
    policy = dict(browser.told(path))[b"content-security-policy"]
    assert policy.startswith(b"default-src 'self'")
    assert b"http" not in policy
    assert b"unsafe" not in policy
