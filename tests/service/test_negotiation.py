"""Accept is read as RFC 9110 says: weights, wildcards, and the most specific range for each type."""

import pytest

from service.routes.negotiation import JSON, LINES, NPY, PNG, best

ALL = (JSON, NPY, PNG, LINES)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("application/x-npy", NPY),
        ("Image/PNG", PNG),
        ("*/*", JSON),
        ("application/*", JSON),
        ("image/*", PNG),
        ("application/x-npy, application/json", JSON),
        ("application/x-npy, application/json;q=0.9", NPY),
        ("application/json;q=0.1, application/x-ndjson;q=0.2", LINES),
        ("application/json; q=0, */*", NPY),
        ("application/*;q=0, */*", PNG),
        ("*/*;q=0.1, image/png", PNG),
        ("text/html, application/xhtml+xml, image/avif, */*;q=0.8", JSON),
        ("image/png;level=1;q=0.5, application/x-npy;Q=0.4", PNG),
        ("application/json;q=0.001", JSON),
        (" application/json ; q=1.000 ", JSON),
        ("text/html", None),
        ("application/json;q=0", None),
        ("*/*;q=0", None),
        ("*/*;q=0, image/png;q=0.000", None),
        ("application/json;q=2", None),
        ("application/json;q=0.0001", None),
        ("application/json;q=", None),
        ("json", None),
        ("*", None),
        (",,;,", None),
        ("application/json,,", JSON),
    ],
)
def test_best_liked_type_is_answered(accept, expected):
    assert best(accept, ALL) == expected


def test_type_that_is_not_offered_is_never_chosen():
    assert best("image/png", (JSON, NPY)) is None
    assert best("image/png, application/x-npy;q=0.1", (JSON, NPY)) == NPY
