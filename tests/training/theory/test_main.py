"""reparam-theory measures what it is asked to, prints each claim, writes the page, and fails if a claim does."""

import subprocess
import sys
from pathlib import Path

import pytest

from training.theory import EXPERIMENTS
from training.theory.__main__ import main
from training.theory.claim import Claim, Experiment

ROOT = Path(__file__).parents[3]
ONE = Claim("One is one", 1, 1)
OFF = Claim("Two | three", 2, 2.5, 0.1)


@pytest.fixture
def reparam_theory(monkeypatch, capsys, tmp_path):
    """reparam_theory(claims by experiment, *arguments): the exit status, both outputs, and the page."""

    def call(claims, *arguments):
        for name in list(EXPERIMENTS):
            monkeypatch.delitem(EXPERIMENTS, name)
        for name, given in claims.items():
            made = Experiment(f"About <{name}>", "It is told & shown.", tuple(given), ("<svg></svg>",))
            monkeypatch.setitem(EXPERIMENTS, name, lambda made=made: made)
        page = tmp_path / "deep" / "theory.html"
        monkeypatch.setenv("TQDM_DISABLE", "1")
        monkeypatch.setattr(sys, "argv", ["reparam-theory", "--processes", "1", "--page", str(page), *arguments])
        return main(), *capsys.readouterr(), page.read_text()

    return call


def test_status_is_0_where_all_claims_hold(reparam_theory):
    status, out, error, page = reparam_theory({"a": [ONE], "b": [ONE, ONE]})
    assert status == 0
    assert out.count("yes") == page.count("<td>yes</td>") == 3
    assert "3 of 3 claims hold" in error
    assert "NO" not in out + page


def test_status_is_1_where_one_fails_and_the_table_and_the_page_say_which(reparam_theory):
    status, out, error, page = reparam_theory({"a": [ONE], "b": [ONE, OFF]})
    assert status == 1
    assert [line.split() for line in out.splitlines() if line.endswith("NO")] == [
        ["Two", "|", "three", "2", "2.5", "0.1", "NO"]
    ]
    assert "2 of 3 claims hold" in error
    assert "1 not holding" in page
    assert "2 of 3" in page


def test_the_table_is_grouped_by_experiment(reparam_theory):
    _, out, _, _ = reparam_theory({"b": [ONE], "a": [OFF]})
    first = [line.split("  ")[0] for line in out.splitlines()]
    assert first == ["claim", "", "b: About <b>", "One is one", "", "a: About <a>", "Two | three"]


def test_the_page_tells_and_shows_each_experiment(reparam_theory):
    page = reparam_theory({"a": [ONE], "b": [OFF]})[3]
    for name in ("a", "b"):
        assert f'<section id="{name}">' in page
        assert f'<a href="#{name}">About &lt;{name}&gt;</a>' in page
    assert page.count("It is told &amp; shown.") == page.count("<svg></svg>") == 2
    assert '<th scope="row">Two | three</th><td>2</td><td>2.5</td><td>0.1</td><td>NO</td>' in page


def test_only_what_is_named_is_measured(reparam_theory):
    _, out, _, page = reparam_theory({"a": [ONE], "b": [OFF]}, "a")
    assert "About <b>" not in out
    assert 'id="b"' not in page


def test_unknown_name_is_refused_with_the_list(reparam_theory, capsys):
    with pytest.raises(SystemExit, match="2"):
        reparam_theory({"a": [ONE], "b": [OFF]}, "a", "c")
    assert "there is no experiment c; there are a, b" in capsys.readouterr().err


def test_markdown_has_a_table_for_each_experiment(reparam_theory):
    _, out, _, _ = reparam_theory({"a": [ONE], "b": [OFF]}, "--markdown")
    assert out == (
        "### About <a>\n\n`reparam-theory a`\n\n"
        "| claim | expected | measured | standard error | holds |\n| --- | ---: | ---: | ---: | ---: |\n"
        "| One is one | 1 | 1 | - | yes |\n\n"
        "### About <b>\n\n`reparam-theory b`\n\n"
        "| claim | expected | measured | standard error | holds |\n| --- | ---: | ---: | ---: | ---: |\n"
        "| Two \\| three | 2 | 2.5 | 0.1 | NO |\n"
    )


def test_bounds_are_said_as_such(reparam_theory):
    _, out, _, _ = reparam_theory({"a": [Claim("Below", 1, 0.5, relation="<"), Claim("Above", 1, 2, relation=">")]})
    assert "at most 1" in out
    assert "at least 1" in out


def test_two_processes_measure_what_the_command_names(tmp_path):
    page = tmp_path / "theory.html"
    command = (sys.executable, "-m", "training.theory", "chain-rule", "bound-decomposition", "--page", page)
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert [line for line in run.stdout.splitlines() if line.startswith(("chain-rule:", "bound-decomposition:"))] == [
        "bound-decomposition: log p(x) is the ELBO and what q misses",
        "chain-rule: The chain rule",
    ]
    assert page.read_bytes().count(b"<svg") == 2
