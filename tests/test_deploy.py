"""What can be checked of the containers without running any."""

import re
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from service.settings import Settings

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "service" / "deploy"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
DOCKERFILES = sorted({service["build"]["dockerfile"] for service in SERVICES.values() if "build" in service})
OTHERS = [name for name, service in SERVICES.items() if "image" in service]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
SCRIPTS = PROJECT["scripts"]


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


def test_image_installs_what_the_package_needs_and_each_file_by_its_digest():
    text = (DEPLOY / "requirements.txt").read_text()
    locked = defaultdict(set)
    for entry in re.findall(r"^[a-z].*(?:\n +--hash=.*)*", text, re.MULTILINE):
        requirement = Requirement(entry.partition(" \\\n")[0])
        [pinned] = requirement.specifier
        assert pinned.operator == "=="
        assert "--hash=sha256:" in entry
        locked[requirement.name].add(pinned.version)
    needed = (
        *PROJECT["dependencies"],
        *PROJECT["optional-dependencies"]["service"],
        *PYPROJECT["build-system"]["requires"],
    )
    for requirement in map(Requirement, needed):
        assert locked[requirement.name]
        assert all(requirement.specifier.contains(version) for version in locked[requirement.name])
    assert any("--require-hashes" in line for line in lines("service/deploy/Dockerfile", "RUN"))


def test_services_run_as_an_ordinary_user_on_a_tree_they_cannot_write():
    for name in ("service", "service-gpu"):
        assert SERVICES[name]["read_only"] is True
        assert all(volume.endswith(":ro") for volume in SERVICES[name]["volumes"])
        assert int(lines(SERVICES[name]["build"]["dockerfile"], "USER")[0].split(":")[0]) > 0


def test_all_but_the_cpu_service_need_a_profile():
    assert {name: service.get("profiles") for name, service in SERVICES.items()} == {
        "service": None,
        "service-gpu": ["gpu"],
        "prometheus": ["dashboards"],
        "grafana": ["dashboards"],
        "training": ["training"],
    }


def test_training_publishes_into_the_folder_that_the_service_reads():
    mounted = {name: service["volumes"][0].split(":")[:2] for name, service in SERVICES.items()}
    assert mounted["service"] == mounted["service-gpu"] == mounted["training"]
    assert (ROOT / mounted["service"][0]).is_dir()


def test_every_setting_named_exists():
    named = {key for name in ("service", "service-gpu") for key in SERVICES[name]["environment"]}
    named |= set(re.findall(r"REPARAM_\w+(?==)", " ".join(lines("service/deploy/Dockerfile", "ENV"))))
    assert {name.removeprefix("REPARAM_").lower() for name in named} <= set(Settings.model_fields)
    assert named


def test_the_health_check_asks_a_route_that_exists():
    assert "http://127.0.0.1:8000/readyz" in lines("service/deploy/Dockerfile", "HEALTHCHECK")[0]


def test_every_port_is_of_this_machine_alone():
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(published) == len(set(published)) == 4
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in published)


@pytest.mark.parametrize("name", OTHERS)
def test_images_of_others_have_a_version_and_can_change_nothing_here(name):
    service = SERVICES[name]
    assert re.fullmatch(r"[\w/]+:v?\d+\.\d+\.\d+", service["image"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    for volume in service["volumes"]:
        source, _, mode = volume.rsplit(":", 2) if volume.endswith(":ro") else (*volume.split(":"), "rw")
        assert mode == "ro" or source in COMPOSE["volumes"]
        assert not source.startswith("./") or (ROOT / source).exists()


def test_prometheus_asks_services_that_exist_by_names_that_they_go_by():
    jobs = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())["scrape_configs"]
    [targets] = [job["static_configs"][0]["targets"] for job in jobs if job["job_name"] == "reparam"]
    assert {target.split(":")[0] for target in targets} == {"service", "service-gpu"}
    for host, port in (target.split(":") for target in targets):
        assert SERVICES[host]["environment"]["REPARAM_HOSTS"] == host
        assert SERVICES[host]["ports"][0].endswith(f":{port}")


def test_prometheus_reads_the_files_that_are_mounted():
    config = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    inside = {volume.removesuffix(":ro").rsplit(":", 1)[1] for volume in SERVICES["prometheus"]["volumes"]}
    named = {f"/etc/prometheus/{name}" for name in config["rule_files"]}
    named |= {job["authorization"]["credentials_file"] for job in config["scrape_configs"] if "authorization" in job}
    assert named <= inside


def test_grafana_finds_prometheus_and_the_dashboard_where_they_are():
    [mount] = SERVICES["grafana"]["volumes"]
    folder, inside = mount.removesuffix(":ro").split(":")
    [source] = yaml.safe_load((ROOT / folder / "datasources" / "prometheus.yml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    [provider] = yaml.safe_load((ROOT / folder / "dashboards" / "provider.yml").read_text())["providers"]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{provider['options']['path']}/reparam.json"
    assert (ROOT / folder / home.removeprefix(inside + "/")).exists()
