"""What `reparam` needs and takes from its surroundings."""

import argparse
import subprocess
import sys

import pytest

from models.errors import ReparamError
from service.bulk.extra import library
from service.command import SUBCOMMANDS, connection, main

URL = "http://localhost"


def settings(*arguments):
    parser = argparse.ArgumentParser()
    connection.arguments(parser)
    return connection.settings(parser.parse_args(arguments))


def test_service_is_that_of_the_flag_else_of_the_environment_else_here(monkeypatch):
    monkeypatch.delenv("REPARAM_URL", raising=False)
    assert settings() == {"url": "http://127.0.0.1:8000", "key": None}
    monkeypatch.setenv("REPARAM_URL", "https://models.example")
    assert settings()["url"] == "https://models.example"
    assert settings("--url", URL)["url"] == URL


def test_key_is_that_of_the_environment_or_of_a_file(tmp_path, monkeypatch):
    file = tmp_path / "key"
    file.write_text("of-the-file\n")
    assert settings("--key-file", str(file))["key"] == "of-the-file"
    monkeypatch.setenv("REPARAM_KEY_FILE", str(file))
    assert settings()["key"] == "of-the-file"
    monkeypatch.setenv("REPARAM_KEY", "of-the-environment")
    assert settings()["key"] == "of-the-environment"


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_subcommand_takes_no_key_as_an_argument(name, capsys):
    with pytest.raises(SystemExit):
        main([name, "--help"])
    assert "--key-file" in (said := capsys.readouterr().out)
    assert "--key " not in said


@pytest.mark.parametrize(("name", "package"), [("polars", "polars"), ("PIL.Image", "pillow"), ("tqdm", "tqdm")])
def test_missing_library_is_named_with_its_extra(name, package, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ReparamError, match=rf"such files need {package}; .* the extra client"):
        library(name, "such files")


def test_command_loads_libraries_only_where_they_are_used():
    code = "import sys, service.command; print(*{module.split('.')[0] for module in sys.modules})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert {"httpx", "numpy", "service"} <= loaded
    assert not loaded & {"polars", "PIL", "tqdm", "fastapi", "starlette", "onnxruntime", "onnx", "pydantic_settings"}
