"""The pages for users: the README and docs/*.md, with the commands, snippets, files and links that stand there."""

import json
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.checkout import HOME

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = {str(path.relative_to(ROOT)): path for path in (README, *sorted((ROOT / "docs").glob("*.md")))}

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"# ([\w./-]+\.\w+)\n")
_END = "--end-of-answer--"


class Example(NamedTuple):
    """A command as printed after `$ `, and what the page says that it answers."""

    command: str
    answer: str


def blocks(text: str) -> list[tuple[str, str]]:
    """Each fenced block of a page: its language and its text."""
    return _BLOCK.findall(text)


def those_in(text: str, language: str) -> list[str]:
    return [block for named, block in blocks(text) if named == language]


def examples(text: str) -> list[Example]:
    """The commands of the `console` blocks, in the order of the page."""
    found = []
    for block in those_in(text, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, answer = part.partition("\n")
            found.append(Example(command, answer.strip()))
    return found


def commands(text: str) -> list[str]:
    """The lines of the `sh` blocks: what installs, starts or takes long, and is not run with the page."""
    lines = (line.partition(" #")[0].strip() for block in those_in(text, "sh") for line in block.splitlines())
    return [line for line in lines if line]


def files(text: str) -> dict[str, str]:
    """The blocks that are a file, as their first line says: a comment that is nothing but its name."""
    return {found[1]: block for _, block in blocks(text) if (found := _FILE.match(block))}


def snippets(text: str) -> list[str]:
    """The blocks of Python that are no file."""
    return [block for block in those_in(text, "python") if not _FILE.match(block)]


def links(text: str) -> list[str]:
    """Where links and images of a page point, but for those that leave the repository."""
    prose = re.sub(r"`[^`\n]*`", "", _BLOCK.sub("", text))
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", prose) if "://" not in link]


def anchors(text: str) -> set[str]:
    """The names that links may give to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", _BLOCK.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def answers(text: str, address: str, clone: Path) -> list[str]:
    """What each command of a page answers, in one shell in the clone, asking the server at `address`.

    The files of the page are there, those that a reader would write beside the README; others are this tree's own.
    """
    for name, content in files(text).items():
        if "/" not in name:
            (clone / name).write_text(content)
    script = "".join(f"{example.command}\necho; echo {_END}\n" for example in examples(text))
    done = subprocess.run(
        ["bash", "-c", f"set -e; PATH=$PWD/.venv/bin:$PATH\n{script.replace('localhost:8000', address)}"],
        capture_output=True,
        text=True,
        cwd=clone,
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return [answer.strip().replace(str(clone), HOME) for answer in done.stdout.split(_END)[:-1]]


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


def without_numbers(answer: str) -> list[list[str]]:
    """The words of each line, and a mark for each number that was measured."""
    return [re.sub(r"\s+[\d.-]+(?=\s|$)", " #", line).split() for line in answer.strip().splitlines()]
