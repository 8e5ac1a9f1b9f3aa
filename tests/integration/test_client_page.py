"""What docs/client.md shows is what happens."""

import contextlib
import io
import re
import sys

import pytest

from models.repository import SHIPPED
from tests.live_server import ROOT, live_server
from tests.readme import Example, examples, run

TEXT = (ROOT / "docs" / "client.md").read_text()
EXAMPLES = examples(TEXT)
SNIPPETS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


ASKED = ("ae-digits", "ae-mnist", "vae-digits", "vae-mnist")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    root = tmp_path_factory.mktemp("repository")
    for name in ASKED:
        (root / name).symlink_to(SHIPPED / name)
    with live_server(repository=root) as server:
        server.wait_until_ready()
        yield server.address


@pytest.fixture(scope="module")
def answers(address, tmp_path_factory):
    """Of the command as it is in this tree, whatever is installed, and in a folder of its own."""
    command = f'reparam() {{ PYTHONPATH={ROOT} {sys.executable} -m service.command "$@"; }}'
    here = Example(f"{command}; cd {tmp_path_factory.mktemp('shell')}", "")
    return run([here, *EXAMPLES], address)[1:]


@pytest.mark.parametrize("number", range(len(EXAMPLES)), ids=[example.command[:60] for example in EXAMPLES])
def test_command_answers_as_printed(answers, number):
    """But for the widths of a table, which are those of all that is listed."""
    assert answers[number].split() == EXAMPLES[number].answer.split()


@pytest.mark.parametrize("snippet", SNIPPETS, ids=["plain", "more", "asyncio"])
def test_snippet_prints_what_its_comments_say(address, snippet):
    said = re.findall(r"print\(.*\)  # (.*)$", snippet, re.MULTILINE)
    assert len(said) == snippet.count("print(")
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(snippet.replace("localhost:8000", address), {})
    assert out.getvalue().split() == " ".join(said).split()
