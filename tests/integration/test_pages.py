"""What the README and docs/ show is what happens; what they point at is there."""

import contextlib
import importlib.util
import io
import json
import re
import shlex
import subprocess
import tomllib
from functools import cache

import pytest

from tests.gan_tables import with_tables
from tests.pages import (
    PAGES,
    ROOT,
    anchors,
    answers,
    blocks,
    commands,
    comparable,
    examples,
    files,
    links,
    parsed,
    snippets,
    those_in,
    without_numbers,
)
from tests.readme import GANS, served
from tests.readme_table import with_table
from training.families import FAMILIES
from training.recipe import Recipe

TEXTS = {name: path.read_text() for name, path in PAGES.items()}
EXAMPLES = [(name, number) for name, text in TEXTS.items() for number in range(len(examples(text)))]
SNIPPETS = [(name, number) for name, text in TEXTS.items() for number in range(len(snippets(text)))]
COMMANDS = sorted({command for text in TEXTS.values() for command in commands(text)})
SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
LOAD = re.compile(r"^(\$ .*reparam bench .*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with served(tmp_path_factory.mktemp("pages")) as clone_and_address:
        yield clone_and_address


@pytest.fixture(scope="module")
def answered(service):
    """answered(page): the answers to all commands of it, asked once."""
    clone, address = service
    return cache(lambda name: answers(LOAD.sub(r"\1 --duration 0.5 --warmup 0", TEXTS[name]), address, clone))


@pytest.mark.parametrize(("name", "number"), EXAMPLES)
def test_command_answers_as_printed(answered, name, number):
    command, printed = examples(TEXTS[name])[number]
    answer = answered(name)[number]
    if "reparam bench" in command:
        assert without_numbers(answer) == without_numbers(printed)
    else:
        assert comparable(parsed(answer)) == comparable(parsed(printed))


@pytest.mark.parametrize(("name", "number"), SNIPPETS)
def test_snippet_prints_what_its_comments_say(service, name, number):
    snippet = snippets(TEXTS[name])[number]
    said = re.findall(r"print\(.*\)  # (.*)$", snippet, re.MULTILINE)
    assert len(said) == snippet.count("print(")
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(snippet.replace("localhost:8000", service[1]), {})
    assert out.getvalue().split() == " ".join(said).split()


@pytest.mark.parametrize("name", PAGES)
def test_nothing_on_a_page_escapes_its_test(name):
    assert {language for language, _ in blocks(TEXTS[name])} <= {"console", "sh", "python", "toml", "json"}
    assert not re.findall(r"^ {4}\$ .*", TEXTS[name], re.MULTILINE)
    assert all(json.loads(block) for block in those_in(TEXTS[name], "json"))


@pytest.mark.parametrize("command", COMMANDS)
def test_command_that_is_not_run_names_what_is_there(command, service):
    program, *arguments = [word for word in shlex.split(command) if not re.match(r"[A-Z_]+=", word)]
    KNOWN[program.removeprefix(".venv/bin/")](service[0] / program, arguments)
    assert [path for path in re.findall(r"\b(?:training|models)/\S+", command) if not (ROOT / path).exists()] == []


def _is_target(_, arguments):
    subprocess.run(["make", "-n", *arguments, "RECIPE=any.toml"], cwd=ROOT, check=True, capture_output=True)


def _has_options(program, arguments):
    subcommand = arguments[:1] if program.name == "reparam" else []
    if options := {argument for argument in arguments if argument.startswith("-")}:
        assert {option for option in options if option not in _help(program, *subcommand)} == set()


@cache
def _help(*command):
    return subprocess.run([*command, "--help"], capture_output=True, text=True, check=True).stdout


def _is_module(_, arguments):
    assert importlib.util.find_spec(arguments[arguments.index("-m") + 1])


KNOWN = {
    **dict.fromkeys(SCRIPTS, _has_options),
    "make": _is_target,
    "python": _is_module,
    "torchrun": _is_module,
    **dict.fromkeys(("git", "cd", "docker", "chmod", "pip"), lambda program, arguments: None),
}


def test_recipes_are_recipes_and_their_models_models():
    shown = [tomllib.loads(block) for text in TEXTS.values() for block in those_in(text, "toml")]
    assert shown
    for recipe in map(Recipe.model_validate, shown):
        if recipe.family in FAMILIES:
            FAMILIES[recipe.family].Options.model_validate(recipe.model)


@pytest.mark.parametrize("name", PAGES)
def test_links_and_images_are_there(name):
    for link in links(TEXTS[name]):
        path, _, anchor = link.partition("#")
        target = (PAGES[name].parent / path).resolve() if path else PAGES[name]
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text()), link


@pytest.mark.parametrize("name", [name for name in PAGES if name != "README.md"])
def test_the_readme_leads_to_every_page(name):
    assert name in links(TEXTS["README.md"])


@pytest.mark.parametrize("name", PAGES)
def test_files_that_are_named_exist(name):
    for path in re.findall(r"`((?:training|service|tests)/[\w./-]+\.\w+|models/\w+\.\w+)`", TEXTS[name]):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("name", PAGES)
def test_file_of_this_tree_is_shown_as_it_is(name):
    for path, content in files(TEXTS[name]).items():
        if "/" in path:
            assert content.partition("\n")[2].strip() == (ROOT / path).read_text().strip()


def test_every_script_that_is_named_exists():
    assert {found for text in TEXTS.values() for found in re.findall(r"\.venv/bin/(reparam[\w-]*)", text)} <= set(
        SCRIPTS
    )


def test_the_tables_of_the_bundles_are_those_of_the_manifests():
    assert with_table(TEXTS["README.md"]) == TEXTS["README.md"]
    page = GANS.read_text()
    assert with_tables(page) == page
    assert page.count("-ring](") == 5  # each objective and each constraint has its row


def test_every_verb_has_an_example():
    asked = {
        match for name, number in EXAMPLES for match in re.findall(r"/(\w+) -H", examples(TEXTS[name])[number].command)
    }
    verbs = {"sample", "encode", "decode", "reconstruct", "interpolate", "traverse", "score", "complete", "criticize"}
    assert verbs <= asked


def test_there_is_an_example_of_each_loop():
    loads = [command for command, _ in examples(TEXTS["docs/operating.md"])]
    assert all(any(option in command for command in loads) for option in ("--connections", "--rate"))
