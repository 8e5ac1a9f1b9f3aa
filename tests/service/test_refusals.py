"""What is refused before anybody asks for a model has a status, and a time to come back where there is one."""

import inspect

import pytest

from models.errors import ReparamError
from service import refusals
from service.errors import STATUS, answer_to
from service.refusals import Unavailable

KINDS = [
    kind
    for _, kind in inspect.getmembers(refusals, inspect.isclass)
    if issubclass(kind, ReparamError) and kind not in (ReparamError, Unavailable)
]


@pytest.mark.parametrize("kind", KINDS)
def test_refusal_becomes_an_answer_with_a_time_to_come_back_where_there_is_one(kind):
    is_for_now = issubclass(kind, Unavailable)
    error = kind("not so", retry_after=7) if is_for_now else kind("not so")
    response = answer_to(error)
    assert response.status_code == STATUS[kind]
    assert 400 <= response.status_code < 500 or (is_for_now and response.status_code == 503)
    assert response.headers.get("retry-after") == ("7" if is_for_now else None)
    assert ("www-authenticate" in response.headers) == (response.status_code == 401)
