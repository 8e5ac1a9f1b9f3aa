"""What is printed on the pages for users, written anew.

`python -m tests.readme` writes the tables of the bundles, `python -m tests.readme docs/contract.md` also what the
commands of that page answer today, or of several pages.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.checkout import checkout
from tests.gan_tables import with_tables
from tests.live_server import live_server
from tests.pages import PAGES, README, ROOT, answers, examples
from tests.readme_table import with_table

GANS = ROOT / "docs" / "gans.md"


def main(*names: str) -> None:
    README.write_text(with_table(README.read_text()))
    GANS.write_text(with_tables(GANS.read_text()))
    if names:
        with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as (clone, address):
            for page in (PAGES[name] for name in names):
                page.write_text(with_answers(page.read_text(), address, clone))


@contextmanager
def served(folder: Path) -> Iterator[tuple[Path, str]]:
    """A clone in the folder, and the address of a server of its bundles."""
    clone = checkout(folder.resolve() / "reparam")
    with live_server(repository=clone / "models" / "bundles") as server:
        server.wait_until_ready()
        yield clone, server.address


def with_answers(text: str, address: str, clone: Path) -> str:
    """The page's text with what its commands answer today."""
    for example, answer in zip(examples(text), answers(text, address, clone), strict=True):
        old, new = (f"$ {example.command}\n{a}\n" if a else f"$ {example.command}\n" for a in (example.answer, answer))
        assert text.count(old) == 1, f"ambiguous: {example.command}"
        text = text.replace(old, new)
    return text


if __name__ == "__main__":
    main(*sys.argv[1:])
