"""The README keeps what it prints."""

import json
import re
import subprocess
import tomllib

import pytest

from tests.gan_tables import with_tables
from tests.live_server import ROOT, live_server
from tests.readme import GANS, README, examples, run
from tests.readme_table import with_table
from training.recipe import Recipe

TEXT = README.read_text()
EXAMPLES = examples(TEXT)


@pytest.fixture(scope="module")
def answers():
    with live_server() as server:
        server.wait_until_ready()
        yield run(EXAMPLES, server.address)


@pytest.mark.parametrize("number", range(len(EXAMPLES)), ids=[example.command[:60] for example in EXAMPLES])
def test_command_answers_as_printed(answers, number):
    printed, answered = EXAMPLES[number].answer, answers[number]
    assert bool(printed) == bool(answered)
    if printed:
        assert comparable(parsed(answered)) == comparable(parsed(printed))


def parsed(answer: str) -> object:
    """JSON, or what a command made of an answer that is none."""
    try:
        return json.loads(answer)
    except json.JSONDecodeError:
        return answer


def comparable(value: object, place: str = "") -> object:
    """An answer without what differs from one request to the next, and with the processor's last bits let go."""
    if isinstance(value, dict):
        return {key: comparable(item, key) for key, item in value.items() if key != "request_id"}
    if isinstance(value, list):
        return [comparable(item) for item in value]
    return pytest.approx(value, rel=1e-3, abs=1e-3) if isinstance(value, float) else value


def test_the_table_is_that_of_the_manifests():
    assert with_table(TEXT) == TEXT


def test_the_tables_of_gans_are_those_of_the_manifests():
    page = GANS.read_text()
    assert with_tables(page) == page
    assert page.count("-ring](") == 5  # each objective and each constraint has its row


def test_every_verb_has_an_example():
    asked = {match for example in EXAMPLES for match in re.findall(r"/(\w+) -H", example.command)}
    verbs = {"sample", "encode", "decode", "reconstruct", "interpolate", "traverse", "score", "complete", "criticize"}
    assert asked == verbs


def test_every_make_target_and_file_exists():
    targets = set(re.findall(r"make (\w+)", TEXT))
    assert targets == {"serve", "test", "bench", "train"}
    for target in targets:
        subprocess.run(["make", "-n", target, "RECIPE=any.toml"], cwd=ROOT, check=True, capture_output=True)
    for path in re.findall(r"(?:training|models|service)/[\w./-]+\.(?:toml|py)", TEXT):
        assert (ROOT / path).exists(), path


def test_every_script_exists():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert set(re.findall(r"\.venv/bin/(reparam-\w+)", TEXT)) <= set(scripts)


def test_the_recipe_of_ones_own_is_a_recipe():
    [block] = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert Recipe.model_validate(tomllib.loads(block)).family == "vae"
