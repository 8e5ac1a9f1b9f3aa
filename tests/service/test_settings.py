"""Settings come from the environment or from flags; a device that is missing is refused before anything starts."""

import ctypes
import json
import re
import sys
from pathlib import Path
from typing import get_args

import onnxruntime
import pytest
from pydantic import ValidationError
from pydantic_settings import CliApp

from models.repository import SHIPPED
from service import __main__
from service.graph import DeviceMissing, provider
from service.settings import Limit, Settings
from tests.live_server import ROOT
from tests.service.conftest import serving


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(f"REPARAM_{name.upper()}", raising=False)


@pytest.fixture
def without_driver(monkeypatch):
    def refuse(name, *rest):
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr(ctypes, "CDLL", refuse)


OTHER = {
    "host": "0.0.0.0",
    "port": 9000,
    "workers": 5,
    "drain_seconds": 3.5,
    "repository": Path("elsewhere"),
    "device": "cpu",
    "admin": True,
    "watch_seconds": 0.5,
    "golden_seconds": 2.5,
    "loader": False,
    "load_seconds": 6.5,
    "load_bytes": 2**29,
    "versions": 4,
    "runs": 3,
    "threads": 2,
    "batch_rows": 7,
    "queue_rows": 70,
    "queue_seconds": 4.5,
    "timeout_seconds": 1.5,
    "request_rows": 11,
    "request_samples": 12,
    "request_rows_times_samples": 13,
    "request_steps": 14,
    "limits": {"tiny": {"request_rows": 17}},
    "json_body_bytes": 15,
    "body_bytes": 17,
    "answer_bytes": 16,
    "header_bytes": 18,
    "headers": 19,
    "chunks": 20,
    "connections": 21,
    "connections_per_address": 20,
    "header_seconds": 2.5,
    "body_seconds": 3.5,
    "receive_seconds": 4.5,
    "write_seconds": 5.5,
    "unread_bytes": 22,
    "keys": Path("keys"),
    "open": True,
    "rate": "600/minute",
    "rate_file": Path("counts"),
    "hosts": "a.example, b.example",
    "docs": False,
    "metrics": False,
    "journal": False,
}
NONE = {"connections_per_address", "keys", "rate_file"}  # by default


def test_page_of_the_settings_has_each_with_its_default():
    page = (ROOT / "docs" / "serving.md").read_text().partition("## Settings\n")[2]
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| `")]
    found = {name.removeprefix("| ").strip("`"): default.strip("`") for name, default, _ in rows}
    defaults = {name: str(field.default) for name, field in Settings.model_fields.items()}
    assert found == defaults | {"repository": "the shipped bundles", "runs": "the cores, shared out"}


def test_page_of_the_settings_has_each_limit_of_a_model():
    page = (ROOT / "docs" / "serving.md").read_text().rpartition("`limits` holds")[2]
    assert set(re.findall(r"`([a-z]+_[a-z_]+)`", page)) == set(get_args(Limit))


def written(value):
    return json.dumps(value) if isinstance(value, dict) else str(value)


def test_every_setting_is_tried_below():
    assert set(OTHER) == set(Settings.model_fields)


@pytest.mark.parametrize("name", OTHER)
def test_setting_comes_from_the_environment(monkeypatch, name):
    assert getattr(Settings(), name) != OTHER[name]
    monkeypatch.setenv(f"REPARAM_{name.upper()}", written(OTHER[name]))
    assert getattr(Settings(), name) == OTHER[name]


@pytest.mark.parametrize("name", OTHER)
def test_setting_comes_from_a_flag_before_the_environment(monkeypatch, name):
    if name not in NONE:
        monkeypatch.setenv(f"REPARAM_{name.upper()}", written(getattr(Settings(), name)))
    settings = CliApp.run(Settings, cli_args=[f"--{name.replace('_', '-')}", written(OTHER[name])])
    assert getattr(settings, name) == OTHER[name]


def test_limits_are_those_of_the_contract_by_default():
    settings = Settings()
    assert (settings.request_rows, settings.request_samples, settings.request_rows_times_samples) == (
        4_096,
        10_000,
        200_000,
    )
    assert (settings.request_steps, settings.json_body_bytes, settings.answer_bytes) == (256, 4 * 2**20, 256 * 2**20)
    assert (settings.host, settings.port, settings.device) == ("127.0.0.1", 8000, "auto")


def test_limits_of_a_model_are_its_own():
    settings = Settings(limits={"tiny": {"request_rows": 17, "batch_rows": 3}})
    assert (settings.of("tiny").request_rows, settings.of("tiny").batch_rows) == (17, 3)
    assert settings.of("tiny").queue_rows == settings.queue_rows
    assert settings.of("other") == settings


@pytest.mark.parametrize("limits", [{"tiny": {"port": 1}}, {"tiny": {"batch_rows": 0}}, {"tiny": 3}])
def test_limit_of_a_model_that_makes_no_sense_is_refused(limits):
    with pytest.raises(ValidationError, match="limits"):
        Settings(limits=limits)


async def test_service_keeps_to_the_limits_of_each_model(repository):
    limits = {"tiny": {"request_rows": 2, "request_steps": 3, "request_samples": 4, "batch_rows": 1}}
    async with serving(repository, limits=limits) as service:
        for model, status in (("tiny", 422), ("labelled", 200)):
            label = {"label": 1} if model == "labelled" else {}
            assert (await service.post("sample", model, num_samples=3, **label)).status_code == status
            assert (await service.post("score", model, x=[[[0, 1], [1, 0]]], samples=5, **label)).status_code == status
            path = {"start": {"z": [0, 0]}, "end": {"z": [1, 1]}, "steps": 4}
            assert (await service.post("interpolate", model, **path, **label)).status_code == status
        await service.ask("sample", num_samples=2)
        runs = 'reparam_infer_duration_seconds_count{graph="decode",model="tiny",version="1"}'
        assert (await service.series())[runs] == 2


def test_shipped_bundles_are_found_from_any_working_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert Settings().repository == SHIPPED
    assert Settings().repository.is_absolute()


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "http"), ("PORT", "65536"), ("RUNS", "0"), ("DEVICE", "tpu"), ("RATE", "often")]
)
def test_setting_that_makes_no_sense_is_refused(monkeypatch, name, value):
    monkeypatch.setenv(f"REPARAM_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


@pytest.mark.parametrize(
    ("arguments", "environment", "complaint"),
    [
        (["--port", "http"], {}, "setting port: Input should be a valid integer"),
        (["--runs", "0"], {}, "setting runs: Input should be greater than or equal to 1"),
        ([], {"REPARAM_PORT": "65536"}, "setting port: Input should be less than or equal to 65535"),
        (["--admin", "true", "--workers", "2"], {}, "setting workers: Value error, admin goes with one worker"),
        ([], {"REPARAM_DEVICE": "tpu"}, "setting device: Input should be 'auto', 'cuda' or 'cpu'"),
    ],
)
def test_bad_setting_is_one_line_and_status_1(monkeypatch, capsys, arguments, environment, complaint):
    monkeypatch.setattr(__main__, "serve", pytest.fail)
    monkeypatch.setattr(sys, "argv", ["reparam-serve", *arguments])
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert __main__.main() == 1
    out, error = capsys.readouterr()
    assert error.startswith(f"reparam-serve: {complaint}")
    assert (out, error.count("\n"), error[-1]) == ("", 1, "\n")


def test_cpu_is_taken_without_a_look_at_cuda(monkeypatch):
    monkeypatch.setattr("service.graph._lacks_cuda", pytest.fail)
    assert provider("cpu") == "CPUExecutionProvider"


@pytest.mark.usefixtures("without_driver")
def test_cuda_that_is_missing_is_refused_and_auto_falls_back():
    with pytest.raises(DeviceMissing, match="device cuda: this machine has no NVIDIA driver; use auto or cpu"):
        provider("cuda")
    assert provider("auto") == "CPUExecutionProvider"


def test_runtime_without_cuda_is_refused_with_the_package_that_has_it(monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(DeviceMissing, match=r"built without CUDA \(onnxruntime-gpu has it\)"):
        provider("cuda")


@pytest.mark.usefixtures("without_driver")
def test_service_refuses_to_start_without_the_device_asked_for(monkeypatch, capsys):
    monkeypatch.setattr(__main__, "serve", pytest.fail)
    monkeypatch.setattr(sys, "argv", ["reparam-serve", "--device", "cuda", "--loader", "false"])
    assert __main__.main() == 1
    assert capsys.readouterr().err == (
        "reparam-serve: device cuda: this machine has no NVIDIA driver; use auto or cpu\n"
    )


@pytest.mark.usefixtures("without_driver")
async def test_fallback_is_said_in_log_metadata_and_metrics(repository, caplog):
    caplog.set_level("INFO", "reparam")
    async with serving(repository, device="auto") as service:
        assert (await service.client.get("/v2/models/tiny")).json()["provider"] == "CPUExecutionProvider"
        assert (await service.series())['reparam_provider_info{provider="CPUExecutionProvider"}'] == 1
    assert "5 of 5 bundles ready on CPUExecutionProvider" in caplog.text
