"""python -m tests.screenshots: every view of the playground, at two widths, for the pages under docs/."""

from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from models.repository import SHIPPED
from tests.browser import browser
from tests.live_server import ROOT, live_server

FOLDER = ROOT / "docs" / "screenshots"
WIDTHS = {1280: "light", 360: "dark"}
MOST_BYTES = 150_000
COLOURS = 128

# Each view where it has most to show, and what is there once it has.
VIEWS = {
    "sample": ("vae-mnist/sample", ".grid .tile:nth-child(64)"),
    "latent": ("vae-mnist/latent", ".said[data-frames]"),
    "interpolate": ("vae-mnist/interpolate?start=3&end=12", ".chart"),
    "draw": ("vae-mnist/draw?example=4", ".chart circle:nth-of-type(5)"),
    "complete": ("ar-mnist/complete?example=3", ".grid canvas:nth-child(12)"),
    "compare": ("ae-mnist/compare?other=vae-mnist", ".pair figure:nth-child(2) canvas:nth-child(36)"),
    "modes": ("gan-minimax-ring/compare?other=wgan-gp-ring", ".pair figure:nth-child(2) canvas"),
    "card": ("vae-mnist/card", ".preview img"),
}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with live_server(repository=SHIPPED, device="cpu", port=8000) as server, browser() as chromium:
        server.wait_until_ready()
        for width, scheme in WIDTHS.items():
            for name in VIEWS:
                take(chromium, server.url, name, width, scheme)


def take(chromium: Browser, address: str, name: str, width: int, scheme: str) -> None:
    """The whole page; few colours are enough, and keep the file small."""
    where, ready = VIEWS[name]
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{address}/#/{where}")
    _settle(page, ready)
    path = FOLDER / f"{name}-{width}.png"
    page.screenshot(path=path, full_page=True)
    context.close()
    _shrink(path)
    print(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1000:.0f} KB")


def _settle(page: Page, ready: str) -> None:
    page.locator(ready).first.wait_for()
    page.wait_for_timeout(500)


def _shrink(path: Path) -> None:
    image = Image.open(path).convert("RGB")
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"{path.name} has more than {MOST_BYTES} bytes; take a smaller part of the page")


if __name__ == "__main__":
    main()
