"""What docs/serving.md shows is what happens."""

import contextlib
import io
import re

import pytest

from tests.integration.test_readme import comparable, parsed
from tests.live_server import live_server
from tests.readme import SERVING, examples, run

TEXT = SERVING.read_text()
EXAMPLES = examples(TEXT)


@pytest.fixture(scope="module")
def address():
    with live_server() as server:
        server.wait_until_ready()
        yield server.address


@pytest.fixture(scope="module")
def answers(address):
    return run(EXAMPLES, address)


@pytest.mark.parametrize("number", range(len(EXAMPLES)), ids=[example.command[:60] for example in EXAMPLES])
def test_command_answers_as_printed(answers, number):
    printed, answered = EXAMPLES[number].answer, answers[number]
    assert comparable(parsed(answered)) == comparable(parsed(printed))


def test_snippet_prints_what_its_comments_say(address):
    [snippet] = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    said = re.findall(r"^print\(.*\)  # (.*)$", snippet, re.MULTILINE)
    assert len(said) == snippet.count("print(")
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(snippet.replace("localhost:8000", address), {})
    assert out.getvalue().splitlines() == said
