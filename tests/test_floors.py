"""Libraries with holes that are known are not what is installed, nor what the project allows."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import pytest

FLOORS = {
    "uvicorn": (0, 51),
    "starlette": (1, 3, 1),
    "h11": (0, 16),
    "orjson": (3, 11, 6),
    "onnx": (1, 21),
    "pillow": (12, 3),
    "onnxruntime": (1, 31, 1),
    "onnxruntime-gpu": (1, 31, 1),
}
PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]


def numbers(text):
    return tuple(int(number) for number in re.findall("[0-9]+", text))


@pytest.mark.parametrize("name", FLOORS)
def test_installed_version_is_not_below_its_floor(name):
    try:
        installed = version(name)
    except PackageNotFoundError:
        pytest.skip("not installed here")
    assert numbers(installed) >= FLOORS[name]


def test_project_allows_no_version_below_its_floor():
    for requirement in PROJECT["optional-dependencies"]["service"]:
        name, _, least = requirement.partition(";")[0].strip().partition(">=")
        if name in FLOORS:
            assert numbers(least) >= FLOORS[name][: len(numbers(least))], requirement


def test_nothing_that_takes_forms_apart_is_installed():
    assert find_spec("multipart") is None
    assert find_spec("python_multipart") is None
