"""Chromium without a window, for what only a browser can show."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
WANTED = "there is no Chromium to look with: apt install chromium"
IS_REQUIRED = os.environ.get("REPARAM_BROWSER") == "required"


def executable() -> str | None:
    return next((path for path in map(shutil.which, NAMES) if path), None)


@contextmanager
def browser() -> Iterator[Browser]:
    """RuntimeError if there is none."""
    if not (path := executable()):
        raise RuntimeError(WANTED)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield launched
        finally:
            launched.close()
