"""reparam-key: make an API key, print it once, and add its hash to the file of keys."""

import argparse
import os
import sys
from pathlib import Path

from service.keys import SCOPES, BadKeys, Keys, line_of, text_of


def main() -> int:
    given = _parser().parse_args()
    try:
        if given.file.exists():
            taken = Keys(given.file)
            if taken.has(given.name):
                raise BadKeys(f"there is a key {given.name} already; delete its line first, or choose another name")
        text = text_of(given.name)
        _append(given.file, line_of(text, given.scopes, given.rate))
    except (BadKeys, OSError) as error:
        print(f"reparam-key: {error}", file=sys.stderr)
        return 1
    print(text)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("reparam-key", description=__doc__)
    parser.add_argument("file", type=Path, help="the file of keys, which REPARAM_KEYS names; made if there is none")
    parser.add_argument("name", help="whose key it is: small letters, digits, - and _")
    parser.add_argument("--scopes", nargs="+", choices=SCOPES, default=["infer", "metadata"])
    parser.add_argument("--rate", default="", help='the most requests, as "100/minute"; the service\'s unless set')
    return parser


def _append(file: Path, line: str) -> None:
    """In one write, whole or not at all, to a file that only its owner may read."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        is_open_line = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        os.write(descriptor, f"{chr(10) if is_open_line else ''}{line}\n".encode())
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main())
