"""What docs/operating.md shows is what happens, but for the numbers, which are others each time."""

import re

import pytest

from models.repository import SHIPPED
from service.command import main
from tests.live_server import ROOT, live_server
from tests.readme import examples

EXAMPLES = examples((ROOT / "docs" / "operating.md").read_text())


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A service of the one model that the page asks."""
    root = tmp_path_factory.mktemp("bundles")
    (root / "vae-digits").symlink_to(SHIPPED / "vae-digits")
    with live_server(repository=root, device="cpu") as server:
        server.wait_until_ready()
        yield server.url


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.command[:60] for example in EXAMPLES])
def test_load_is_told_as_printed(url, example, tmp_path, capsys):
    _, subcommand, asked, *arguments = example.command.replace(" report.", f" {tmp_path}/report.").split()
    assert (subcommand, asked) == ("bench", "http://localhost:8000")
    assert main(["bench", url, *arguments, "--duration", "0.5", "--warmup", "0"]) == 0
    assert shape(capsys.readouterr().out) == shape(example.answer)
    assert [path.name in example.command for path in tmp_path.iterdir()] == [True] * example.command.count("report.")


def test_there_is_an_example_of_each_loop():
    assert [option for option in ("--connections", "--rate") if any(option in each.command for each in EXAMPLES)] == [
        "--connections",
        "--rate",
    ]


def shape(printed):
    """The words of each line, and a mark for each number that was measured."""
    return [re.sub(r"\s+[\d.-]+(?=\s|$)", " #", line).split() for line in printed.strip().splitlines()]
