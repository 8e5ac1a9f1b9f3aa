"""The examples of the README and of docs/serving.md: commands, run against a server, and the answers printed there.

`python -m tests.readme localhost:8000` asks a running server and writes its answers into the pages; without an address
it writes only the tables of the bundles, into the README and docs/gans.md.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.gan_tables import with_tables
from tests.readme_table import with_table

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
SERVING, GANS = ROOT / "docs" / "serving.md", ROOT / "docs" / "gans.md"

_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


class Example(NamedTuple):
    """A command as printed after `$ `, and what the README says that it answers."""

    command: str
    answer: str


def examples(text: str) -> list[Example]:
    """All examples in the order of the page."""
    found = []
    for block in _BLOCK.findall(text):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, answer = part.partition("\n")
            found.append(Example(command, answer.strip()))
    return found


def run(all_examples: list[Example], address: str) -> list[str]:
    """What each command answers, in one shell, with the server at `address` in place of the README's."""
    end = "--end-of-answer--"
    script = "set -e\n" + "".join(f"{example.command}\necho; echo {end}\n" for example in all_examples)
    done = subprocess.run(
        ["bash", "-c", script.replace("localhost:8000", address)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return [answer.strip() for answer in done.stdout.split(end)[:-1]]


def main(address: str | None = None) -> None:
    text = with_table(README.read_text())
    README.write_text(with_answers(text, address) if address else text)
    GANS.write_text(with_tables(GANS.read_text()))
    if address:
        SERVING.write_text(with_answers(SERVING.read_text(), address))


def with_answers(text: str, address: str) -> str:
    """The README's text with what its commands answer today."""
    printed = examples(text)
    for example, answer in zip(printed, run(printed, address), strict=True):
        old, new = (f"$ {example.command}\n{a}\n" if a else f"$ {example.command}\n" for a in (example.answer, answer))
        assert text.count(old) == 1, f"ambiguous: {example.command}"
        text = text.replace(old, new)
    return text


if __name__ == "__main__":
    main(*sys.argv[1:])
