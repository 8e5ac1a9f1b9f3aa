"""The page as somebody sees it: how soon it is there, how heavy it is, how many pictures a second a drag has."""

import statistics

from playwright.sync_api import Browser, Page

from models.repository import SHIPPED
from service.routes.page import FILES
from tests.browser import browser
from tests.live_server import live_server

ROUNDS = 5
SECONDS = 3.0  # of dragging
MODELS = ("vae-mnist", "vae-conv-mnist", "gan-mnist", "vae-digits", "gan-ring")

_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
_SAMPLES = "document.querySelectorAll('.grid .tile').length >= 64 && performance.now()"

# A pointer that moves 125 times a second, as a mouse does; moved from out here it would be slower than the page.
_DRAG = """async seconds => {
  const place = document.querySelector(".over"), said = document.querySelector(".said");
  const { left, top, width, height } = place.getBoundingClientRect();
  const before = Number(said.dataset.frames), until = performance.now() + 1000 * seconds;
  for (let step = 0; performance.now() < until; step++) {
    const share = Math.abs(((step / 120) % 2) - 1);
    const at = { clientX: left + share * width, clientY: top + (1 - share) * height };
    place.dispatchEvent(new PointerEvent("pointermove", { buttons: 1, ...at }));
    await new Promise(resolve => setTimeout(resolve, 8));
  }
  return Number(said.dataset.frames) - before;
}"""


def run() -> None:
    weight = sum(len(file.content) for file in FILES.values())
    print(f"playground: a page of {weight / 1000:.0f} KB in {len(FILES)} files, on loopback")
    with live_server(repository=SHIPPED, device="cpu") as server, browser() as chromium:
        server.wait_until_ready()
        paints, samples = zip(*(_open(chromium, server.url) for _ in range(ROUNDS)), strict=True)
        paint, all_there = statistics.median(paints), statistics.median(samples)
        print(f"  first paint after {paint:.0f} ms, 64 samples after {all_there:.0f} ms (medians of {ROUNDS})")
        for model in MODELS:
            print(f"  latent plane of {model:<15} {_drag(chromium, server.url, model):.0f} pictures/s while dragging")


def _open(chromium: Browser, address: str) -> tuple[float, float]:
    """Milliseconds until something is painted, and until all samples are, in a browser that has seen nothing yet."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(address)
    samples = _until(page, _SAMPLES)
    paint = _until(page, _PAINT)
    context.close()
    return paint, samples


def _until(page: Page, expression: str) -> float:
    while not (found := page.evaluate(expression)):
        page.wait_for_timeout(5)
    return float(found)


def _drag(chromium: Browser, address: str, model: str) -> float:
    """Pictures shown a second, each the decoded code of where the pointer was."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"{address}/#/{model}/latent")
    page.locator(".said[data-frames]").wait_for()
    pictures: float = page.evaluate(_DRAG, SECONDS)
    context.close()
    return pictures / SECONDS
