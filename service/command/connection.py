"""Which service is asked, and with which key."""

import argparse
import os
from pathlib import Path
from typing import Any

from models.errors import ReparamError

URL, KEY, KEY_FILE = "REPARAM_URL", "REPARAM_KEY", "REPARAM_KEY_FILE"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", default=url(), help=f"the service (default: {URL}, else %(default)s)")
    key_argument(parser)


def url() -> str:
    """Of the service, where no argument says."""
    return os.environ.get(URL, "http://127.0.0.1:8000")


def key_argument(parser: argparse.ArgumentParser) -> None:
    """A key is no argument: every user of a machine can read those."""
    parser.add_argument(
        "--key-file", type=Path, default=os.environ.get(KEY_FILE), help=f"file of the API key, unless {KEY} has it"
    )


def settings(given: argparse.Namespace) -> dict[str, Any]:
    """The arguments of a client."""
    if not given.url.startswith(("http://", "https://")):
        raise ReparamError(f"--url has to begin with http:// or https://; http://{given.url} may be what is meant")
    return {"url": given.url, "key": _key(given.key_file)}


def _key(file: Path | None) -> str | None:
    if key := os.environ.get(KEY):
        return key
    return Path(file).read_text().strip() if file else None
