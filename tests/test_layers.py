"""Who may import whom, what stands where, and how long a file may be."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("models", "service", "training")
HOUSE = {
    "README.md",
    "pyproject.toml",
    "Makefile",
    "docker-compose.yml",
    "models",
    "service",
    "training",
    "docs",
    "tests",
}
FRAMEWORKS = {"fastapi", "starlette"}
CONTRACT = {"numpy", "pydantic", "safetensors"}
MOST_LINES = 200


def sources(package):
    return sorted((ROOT / package).rglob("*.py"))


def name(path):
    """service/routes/health.py is service.routes.health."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(path):
    """The modules that a file imports; `from service import trace` imports service.trace if there is one."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = {module for module in inner if _is_ours(module)}
            found |= modules or {node.module}
    return found


def _is_ours(module):
    path = ROOT.joinpath(*module.split("."))
    return module.split(".")[0] in PACKAGES and (path.is_dir() or path.with_suffix(".py").is_file())


def outside(path):
    """The top names of the imports that are not of the standard library."""
    return {module.split(".")[0] for module in imported(path)} - sys.stdlib_module_names


MODULES = [name(path) for package in PACKAGES for path in sources(package)]
PATHS = {name(path): path for package in PACKAGES for path in sources(package)}


def test_imports_are_seen(tmp_path):
    """Else all below would hold of itself."""
    path = tmp_path / "file.py"
    path.write_text(
        "import os.path\nimport numpy as np, pydantic.fields\nfrom service import trace\n"
        "from service.batching import Batcher, Job\n\ndef late():\n    from torch import nn\n"
    )
    assert imported(path) == {"os.path", "numpy", "pydantic.fields", "service.trace", "service.batching", "torch"}
    assert outside(path) == {"numpy", "pydantic", "service", "torch"}
    assert {"models.noise", "service.batching", "numpy"} <= imported(PATHS["service.served_model"])


@pytest.mark.parametrize("module", MODULES)
def test_packages_know_only_what_they_may(module):
    package, knows = module.split(".")[0], outside(PATHS[module])
    if package == "models":
        assert knows <= CONTRACT | {"models"}
    if package == "service":
        assert not knows & {"training", "torch", "lightning_fabric", "sklearn", "onnxscript", "tests"}
    if package == "training":
        assert not knows & {"service", "fastapi", "starlette", "uvicorn", "tests"}


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith("service")])
def test_frameworks_are_known_only_where_they_belong(module):
    knows = outside(PATHS[module])
    assert ("onnxruntime" in knows) == (module == "service.graph")
    if not (module.startswith("service.routes.") or module in ("service.app", "service.errors")):
        assert knows & FRAMEWORKS <= (
            {"starlette"}
            if module in ("service.envelope", "service.attendance", "service.gate", "service.portions")
            else set()
        )


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith("service.client")])
def test_client_stands_alone(module):
    assert outside(PATHS[module]) <= {"httpx", "numpy", "service"}
    assert all(other.startswith("service.client") for other in imported(PATHS[module]) if other in PATHS)


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith("service.bulk")])
def test_bulk_scoring_is_a_client_and_no_service(module):
    assert outside(PATHS[module]) <= {"httpx", "numpy", "service", "models"}
    known = ("service.client", "service.bulk", "models.errors")
    assert all(other.startswith(known) for other in imported(PATHS[module]) if other in PATHS)


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith("service.bench")])
def test_load_comes_from_outside_the_service(module):
    assert outside(PATHS[module]) <= {"httpx", "numpy", "service", "models"}
    known = ("service.bench", "models.errors")
    assert all(other.startswith(known) for other in imported(PATHS[module]) if other in PATHS)


ORDER = [
    "service.app",
    "service.routes",
    "service.scoring",
    "service.served_model",
    "service.batching",
    "service.graph",
]
LEAVES = ("service.schemas", "service.errors", "service.trace", "service.settings", "service.metrics")


def layer(module):
    """How far down a module stands; None for one beside the layers."""
    ranks = [i for i, upper in enumerate(ORDER) if module == upper or module.startswith(f"{upper}.")]
    return ranks[0] if ranks else None


@pytest.mark.parametrize("module", [module for module in MODULES if layer(module) is not None])
def test_layers_of_the_service_import_downwards(module):
    for other in imported(PATHS[module]):
        if layer(other) is not None:
            assert layer(other) > layer(module) or (other.startswith("service.routes") and layer(module) == 1)


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith(LEAVES)])
def test_leaves_import_no_layer(module):
    assert [other for other in imported(PATHS[module]) if layer(other) is not None] == []


def test_imports_have_no_circle():
    below = {module: {other for other in imported(PATHS[module]) if other in PATHS} for module in MODULES}
    while leaves := {module for module, others in below.items() if not others}:
        below = {module: others - leaves for module, others in below.items() if module not in leaves}
    assert below == {}


def python(*arguments):
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def test_service_loads_neither_torch_nor_training():
    code = "import sys, service.app, service.verify, service.__main__; print(*sys.modules)"
    run = python("-c", code)
    assert run.returncode == 0, run.stderr
    loaded = set(run.stdout.split())
    assert "onnxruntime" in loaded
    assert not {module.split(".")[0] for module in loaded} & {"torch", "training", "onnxscript", "sklearn", "scipy"}


def test_process_that_tries_bundles_loads_no_more_than_it_needs():
    run = python("-c", "import sys, service.loader_child; print(*sys.modules)")
    loaded = {module.split(".")[0] for module in run.stdout.split()}
    assert "onnxruntime" in loaded
    assert not loaded & {"torch", "training", "fastapi", "uvicorn", "pydantic_settings", "limits", "prometheus_client"}


def test_contract_and_service_are_tested_without_torch():
    said = subprocess.run(["make", "--dry-run", "test"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    hidden, others = [line for line in said.splitlines() if "/pytest" in line]
    assert hidden.endswith("-p tests.without_torch tests/models tests/service")
    assert others.endswith(" --ignore=tests/models --ignore=tests/service")


def test_torch_can_be_hidden():
    """Else the test above would prove nothing."""
    for module in ("torch", "training", "training.export", "lightning_fabric", "sklearn", "onnxscript"):
        run = python("-c", f"import tests.without_torch, {module}")
        assert "ModuleNotFoundError" in run.stderr, module


def tracked():
    """What stands in the repository or is about to."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    return [path for path in listed.stdout.decode().splitlines() if (ROOT / path).is_file()]


def test_house_has_no_other_rooms():
    top = {path.split("/")[0] for path in tracked()}
    assert {entry for entry in top if not entry.startswith(".")} <= HOUSE


@pytest.mark.parametrize("package", PACKAGES)
def test_files_are_short(package):
    lengths = {name(path): len(path.read_text().splitlines()) for path in sources(package)}
    assert {module: lines for module, lines in lengths.items() if lines > MOST_LINES} == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_first_line_of_a_file_says_what_it_is_for(package):
    assert [name(path) for path in sources(package) if not ast.get_docstring(ast.parse(path.read_text()))] == []


def test_no_file_holds_a_path_of_a_machine():
    machine = re.compile(rb"/(?:home|Users)/\w|/root/\w|/work/\w|/tmp/\w|[A-Z]:\\\\Users")
    here = Path(__file__).relative_to(ROOT).as_posix()
    holding = [path for path in tracked() if path != here and machine.search((ROOT / path).read_bytes())]
    assert holding == []
