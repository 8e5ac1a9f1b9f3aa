"""What can be checked of the containers without running any."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from service.settings import Settings

ROOT = Path(__file__).parent.parent
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
DOCKERFILES = sorted({service["build"]["dockerfile"] for service in SERVICES.values()})
SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]


def lines(dockerfile: str, instruction: str) -> list[str]:
    text = (ROOT / dockerfile).read_text().replace("\\\n", " ")
    return re.findall(rf"^\s*{instruction} (.*)$", text, re.MULTILINE)


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_every_copied_path_exists_and_reaches_the_build(dockerfile):
    allowed = (ROOT / f"{dockerfile}.dockerignore").read_text().split()
    for copied in lines(dockerfile, "COPY"):
        for source in copied.split()[:-1]:
            assert (ROOT / source).exists()
            assert f"!{source}" in allowed


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_what_a_container_runs_is_a_script_of_the_package(dockerfile):
    started = lines(dockerfile, "ENTRYPOINT") or [line for line in lines(dockerfile, "CMD") if "reparam" in line]
    assert all(yaml.safe_load(line)[0] in SCRIPTS for line in started)
    assert started


def test_services_run_as_an_ordinary_user_on_a_tree_they_cannot_write():
    for name in ("service", "service-gpu"):
        assert SERVICES[name]["read_only"] is True
        assert all(volume.endswith(":ro") for volume in SERVICES[name]["volumes"])
        assert int(lines(SERVICES[name]["build"]["dockerfile"], "USER")[0].split(":")[0]) > 0


def test_the_gpu_and_training_need_a_profile_and_the_cpu_service_none():
    assert {name: service.get("profiles") for name, service in SERVICES.items()} == {
        "service": None,
        "service-gpu": ["gpu"],
        "training": ["training"],
    }


def test_training_publishes_into_the_folder_that_the_service_reads():
    mounted = {name: service["volumes"][0].split(":")[:2] for name, service in SERVICES.items()}
    assert mounted["service"] == mounted["service-gpu"] == mounted["training"]
    assert (ROOT / mounted["service"][0]).is_dir()


def test_every_setting_named_exists():
    named = {key for service in SERVICES.values() for key in service.get("environment", {})}
    named |= set(re.findall(r"REPARAM_\w+(?==)", " ".join(lines("service/deploy/Dockerfile", "ENV"))))
    assert {name.removeprefix("REPARAM_").lower() for name in named} <= set(Settings.model_fields)
    assert named


def test_the_health_check_asks_a_route_that_exists():
    assert "http://127.0.0.1:8000/readyz" in lines("service/deploy/Dockerfile", "HEALTHCHECK")[0]
