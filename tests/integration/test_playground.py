"""The playground in a browser: what it shows is what the service answers, and everybody can use it."""

import io
import json
import re
import time
from contextlib import contextmanager

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

from service.keys import line_of, text_of
from tests import browser, tiny_bundle
from tests.live_server import live_server

PHONE, DESK = 360, 1280
SERIOUS = {"serious", "critical"}
PATIENCE = 20_000  # milliseconds

# Each view, and what is there once it has answered: how many of which element.
VIEWS = {
    "vae-mnist/sample": (".grid .tile", 64),
    "vae-mnist/latent": (".said[data-frames]", 1),
    "vae-mnist/interpolate": (".strip canvas", 24),
    "vae-mnist/draw": (".chart", 2),
    "ar-digits/complete": (".grid canvas", 12),
    "ae-mnist/compare": (".grid canvas", 72),
    "vae-mnist/card": (".preview img", 1),
    "gan-ring/sample": ("canvas.plane", 1),
    "gan-ring/latent": (".said[data-frames]", 1),
    "gan-ring/compare": ("canvas.plane", 2),
}

# The grey of each pixel of each canvas that a selector finds, row by row.
PIXELS = """canvases => canvases.map(canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return { width: canvas.width, values: Array.from(data.filter((_, i) => i % 4 === 0)) };
})"""


@pytest.fixture(scope="module")
def chromium():
    if not browser.executable():
        (pytest.fail if browser.IS_REQUIRED else pytest.skip)(browser.WANTED)
    expect.set_options(timeout=PATIENCE)
    with browser.browser() as launched:
        yield launched


@contextmanager
def looking(chromium, address, where="", *, width=DESK, scheme="light", troubles=None):
    """A page of its own; what goes wrong on it is added to `troubles`."""
    troubles = [] if troubles is None else troubles
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.on("console", lambda said: said.type in ("error", "warning") and troubles.append(said.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda asked: asked.url.startswith((address, "blob:", "data:")) or troubles.append(asked.url))
    try:
        page.goto(f"{address}/#/{where}")
        yield page
    finally:
        context.close()


def arrived(page, where):
    selector, count = VIEWS[where]
    expect(page.locator(selector)).to_have_count(count)


def pictures(page, selector):
    """Of all canvases that are found, (count, height, width)."""
    found = page.locator(selector).evaluate_all(PIXELS)
    return np.array([np.reshape(canvas["values"], (-1, canvas["width"])) for canvas in found], np.uint8)


def answered(client, model, verb, count, **body):
    """The pictures of the service's own PNG, (count, height, width)."""
    asked = client.post(f"/v2/models/{model}/{verb}", json=body, headers={"Accept": "image/png"})
    pixels = np.asarray(Image.open(io.BytesIO(asked.raise_for_status().content)))
    across = int(np.ceil(np.sqrt(count)))
    down = int(np.ceil(count / across))
    height, width = pixels.shape[0] // down, pixels.shape[1] // across
    return pixels.reshape(down, height, across, width).swapaxes(1, 2).reshape(-1, height, width)[:count]


def question(page):
    """What the curl line asks."""
    return json.loads(re.search(r"-d '(.*)'$", page.locator("#curl code").inner_text())[1])


def eventually(page, check):
    """The page is given time until what it shows passes."""
    until = time.monotonic() + PATIENCE / 1000
    while True:
        try:
            return check()
        except AssertionError:
            if time.monotonic() > until:
                raise
            page.wait_for_timeout(50)


def shows(page, selector, expected):
    """The pictures that are found become the expected ones."""
    eventually(page, lambda: np.testing.assert_array_equal(pictures(page, selector), expected))


@pytest.mark.parametrize("where", VIEWS)
@pytest.mark.parametrize(("width", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_view_fits_and_everybody_can_use_it(chromium, address, where, width, scheme):
    troubles = []
    with looking(chromium, address, where, width=width, scheme=scheme, troubles=troubles) as page:
        arrived(page, where)
        expect(page.locator("#problem")).to_be_hidden()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(page).response["violations"]
        assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found if rule["impact"] in SERIOUS] == []
    assert troubles == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_are_told_apart_in_light_and_dark(chromium, address, scheme):
    """The rules of contrast, where the widest choice of controls is."""
    with looking(chromium, address, "cvae-mnist/latent", scheme=scheme) as page:
        expect(page.locator(".said[data-frames]")).to_have_count(1)
        found = Axe().run(page, options={"runOnly": ["color-contrast"]}).response["violations"]
        assert found == []


def test_samples_are_those_of_the_service(chromium, address, client):
    with looking(chromium, address, "vae-mnist/sample?seed=11&rows=25") as page:
        expect(page.locator(".grid .tile")).to_have_count(25)
        asked = {"seed": 11, "num_samples": 25}
        shows(page, ".grid .tile canvas", answered(client, "vae-mnist", "sample", 25, **asked))
        assert question(page) == asked | {"index": 0, "temperature": 1, "outputs": ["mean"]}
        page.get_by_label("Show").select_option("x")
        shows(page, ".grid .tile canvas", answered(client, "vae-mnist", "sample", 25, **asked, outputs=["x"]))


def test_sample_drawn_alone_is_the_one_of_the_grid(chromium, address):
    with looking(chromium, address, "cvae-mnist/sample") as page:
        expect(page.locator(".said")).to_contain_text("64 samples in")
        page.get_by_role("button", name="Sample 13", exact=True).press("Enter")
        expect(page.locator(".alone p")).to_contain_text("all 784 values are those in the grid")
        np.testing.assert_array_equal(pictures(page, ".alone canvas")[0], pictures(page, ".tile canvas")[13])
        eventually(page, lambda: _is(question(page)["label"], 3))


def test_long_draw_comes_in_pieces_that_make_the_whole(chromium, address, client):
    with looking(chromium, address, "ar-digits/card") as page:
        asked = []
        page.on("request", lambda request: request.method == "POST" and asked.append(request.post_data_json))
        page.goto(f"{address}/#/ar-digits/sample?seed=5&rows=40")
        expect(page.locator(".said")).to_contain_text("40 samples in")
        assert [piece["index"] for piece in asked][:2] == [0, 8]
        np.testing.assert_array_equal(
            pictures(page, ".tile canvas"), answered(client, "ar-digits", "sample", 40, seed=5, num_samples=40)
        )


def test_latent_plane_shows_what_each_code_decodes_to(chromium, address, client):
    with looking(chromium, address, "vae-mnist/latent") as page:
        arrived(page, "vae-mnist/latent")
        [plane] = pictures(page, "canvas.map")
        box = page.locator("canvas.map").bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 3.5 / 11, box["y"] + box["height"] * 1.5 / 11, steps=25)
        page.mouse.up()

        def is_decoded():
            [shown] = pictures(page, ".single canvas")
            np.testing.assert_array_equal(shown, answered(client, "vae-mnist", "decode", 1, **question(page))[0])
            return shown

        shown = eventually(page, is_decoded)
        asked = question(page)
        assert sorted(np.nonzero(asked["z"][0])[0]) == sorted(
            int(page.get_by_label(name, exact=True).input_value()) for name in ("Across", "Up")
        )
        cell = plane[28:56, 3 * 28 : 4 * 28].astype(int)
        assert np.abs(cell - shown).mean() < 2  # the mouse is at the middle of that cell but for a part of a pixel
        assert int(page.locator(".said").get_attribute("data-frames")) > 2


def test_axes_are_those_that_say_most(chromium, address, client):
    with looking(chromium, address, "vae-mnist/latent") as page:
        arrived(page, "vae-mnist/latent")
        x = client.post("/v2/models/vae-mnist/sample", json={"seed": 0, "num_samples": 64}).json()["x"]
        body = {"x": x, "outputs": ["kl_per_dimension"]}
        kl = np.mean(client.post("/v2/models/vae-mnist/encode", json=body).json()["kl_per_dimension"], axis=0)
        chosen = [int(page.get_by_label(name, exact=True).input_value()) for name in ("Across", "Up")]
        assert chosen == list(np.argsort(-kl)[:2])


def test_sliders_move_over_the_plane_by_keyboard(chromium, address):
    with looking(chromium, address, "gan-ring/latent") as page:
        arrived(page, "gan-ring/latent")
        page.get_by_label("Across at").press("ArrowRight")
        expect(page.locator(".said")).to_contain_text("0.03, 0.00")
        eventually(page, lambda: _is(question(page)["z"], [[0.03, 0]]))


def test_paths_are_those_of_the_service(chromium, address, client):
    with looking(chromium, address, "vae-mnist/interpolate?start=1&end=2&steps=9") as page:
        expect(page.locator(".strip canvas")).to_have_count(18)
        for path in ("linear", "spherical"):
            asked = {"start": {"seed": 1}, "end": {"seed": 2}, "steps": 9, "path": path, "seed": 0}
            shows(page, f".{path} canvas", answered(client, "vae-mnist", "interpolate", 9, **asked))


def picture(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "PNG")
    return {"name": "mine.png", "mimeType": "image/png", "buffer": file.getvalue()}


def test_picture_of_ones_own_is_an_end_of_a_path(chromium, address, client):
    mine = np.zeros((28, 28))
    mine[4:24, 13:16] = 255
    with looking(chromium, address, "ae-mnist/interpolate") as page:
        expect(page.locator(".strip canvas")).to_have_count(24)
        page.get_by_label("A picture for the first end").set_input_files(picture(mine))
        expect(page.locator(".end p").first).to_contain_text("mine.png")
        shows(page, ".end:first-child canvas", mine[None])
        first = answered(client, "ae-mnist", "reconstruct", 1, x=[(mine / 255).tolist()], outputs=["mean"])
        shows(page, ".linear canvas:first-child", first)


def test_drawing_is_scored_as_the_service_scores_it(chromium, address, client):
    with looking(chromium, address, "vae-mnist/draw?example=4") as page:
        arrived(page, "vae-mnist/draw")
        x = client.post("/v2/models/vae-mnist/sample", json={"seed": 4}).json()["x"]
        asked = {"x": x * 8, "samples": 256, "seed": 0}
        row = client.post("/v2/models/vae-mnist/score", json=asked).json()["rows"][0]
        told = f"{row['elbo']:.2f} ± {row['elbo_std_error']:.2f} nats".replace("-", "−")
        expect(page.locator(".ledger .number.total")).to_have_text(told)
        expect(page.locator(".ledger")).to_contain_text(f"{row['terms']['kl']:.2f} nats")
        shows(page, ".small canvas", answered(client, "vae-mnist", "reconstruct", 1, x=x))
        percentile = client.post("/v2/models/vae-mnist/score", json={"x": x, "samples": 16, "seed": 0})
        expect(page.locator("#display")).to_contain_text(f"{percentile.json()['rows'][0]['percentile']:.1f} % of them")


def test_bound_tightens_with_more_samples(chromium, address):
    with looking(chromium, address, "vae-mnist/draw?example=4") as page:
        expect(page.locator(".chart").first.locator("circle")).to_have_count(5)
        heights = (
            page.locator(".chart").first.locator("circle").evaluate_all("c => c.map(d => Number(d.getAttribute('cy')))")
        )
        assert heights[-1] < heights[0]


def test_pad_is_drawn_on_with_the_mouse_and_by_keyboard(chromium, address):
    with looking(chromium, address, "vae-mnist/draw") as page:
        arrived(page, "vae-mnist/draw")
        page.get_by_role("button", name="Clear").click()
        assert pictures(page, ".pad canvas").sum() == 0
        box = page.locator(".pad").bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 0.2 * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 0.8 * box["height"], steps=8)
        page.mouse.up()
        [by_mouse] = pictures(page, ".pad canvas")
        assert set(np.unique(by_mouse)) == {0, 255}
        assert (by_mouse[7:21, 13:15] == 255).all()
        page.get_by_role("button", name="Clear").click()
        page.locator(".pad").press(" ")
        for _ in range(5):
            page.locator(".pad").press("ArrowDown")
        [by_keys] = pictures(page, ".pad canvas")
        assert (by_keys[7:13, 14] == 255).all()
        expect(page.locator(".ledger .total").first).to_be_visible()


def test_halves_are_completed_as_the_service_completes_them(chromium, address, client):
    with looking(chromium, address, "ar-digits/complete?example=2&rows=4&seed=9") as page:
        expect(page.locator(".grid canvas")).to_have_count(4)
        expect(page.locator(".said")).to_contain_text("4 of 4, conditioning exact")
        x = np.array(client.post("/v2/models/ar-digits/sample", json={"seed": 2}).json()["x"])
        mask = np.zeros_like(x)
        mask[:, :4] = 1
        asked = {"x": np.repeat(x * mask, 4, 0).tolist(), "mask": np.repeat(mask, 4, 0).tolist(), "seed": 9}
        np.testing.assert_array_equal(
            pictures(page, ".grid canvas"), answered(client, "ar-digits", "complete", 4, **asked)
        )
        page.get_by_label("Keep the").select_option("left")
        expect(page.locator(".said")).to_contain_text("4 of 4, conditioning causal")


def test_same_codes_go_through_both_models(chromium, address, client):
    with looking(chromium, address, "ae-mnist/compare?other=vae-mnist&rows=9") as page:
        expect(page.locator(".grid canvas")).to_have_count(18)
        shown = pictures(page, ".grid canvas")
        z = client.post("/v2/models/vae-mnist/sample", json={"seed": 7, "num_samples": 9}).json()["z"]
        for half, model in ((shown[:9], "ae-mnist"), (shown[9:], "vae-mnist")):
            np.testing.assert_array_equal(half, answered(client, model, "decode", 9, z=z))


def test_modes_are_counted(chromium, address, client):
    with looking(chromium, address, "gan-minimax-ring/compare?other=wgan-gp-ring&rows=500") as page:
        expect(page.locator("canvas.plane")).to_have_count(2)
        angles = 2 * np.pi * np.arange(8) / 8
        modes = np.stack([np.cos(angles), np.sin(angles)], 1)
        for i, model in enumerate(("gan-minimax-ring", "wgan-gp-ring")):
            x = client.post(f"/v2/models/{model}/sample", json={"seed": 7, "num_samples": 500}).json()["x"]
            near = np.linalg.norm(np.array(x)[:, None] - modes, axis=2) <= 0.03
            told = f"{near.any(0).sum()} of 8 modes reached; {100 * near.any(1).mean():.1f} %"
            expect(page.locator("figcaption").nth(i)).to_contain_text(told)


@pytest.mark.parametrize("name", ["vae-mnist", "gan-ring"])
def test_card_tells_the_figures_and_what_the_model_lacks(chromium, address, client, name):
    with looking(chromium, address, f"{name}/card") as page:
        described = client.get(f"/v2/models/{name}").json()
        expect(page.locator("tbody tr")).to_have_count(len(described["figures"]))
        for row, figure in zip(page.locator("tbody tr").all_inner_texts(), described["figures"].values(), strict=True):
            assert f"{figure['value']:.5g}"[:6].replace("-", "−") in row
        for reason in described["absent"].values():
            expect(page.locator("dl", has_text=reason).first).to_be_visible()


def test_views_are_those_that_the_model_can_fill(chromium, address):
    offered = {
        "ae-mnist": ["Latent plane", "Interpolate", "Draw", "Compare", "Card"],
        "ar-mnist": ["Sample", "Draw", "Complete", "Compare", "Card"],
        "gan-ring": ["Sample", "Latent plane", "Interpolate", "Compare", "Card"],
    }
    with looking(chromium, address) as page:
        for model, titles in offered.items():
            page.get_by_label("Model").select_option(model)
            expect(page.locator("nav a")).to_have_text(titles)
        page.go_back()
        expect(page.get_by_label("Model")).to_have_value("ar-mnist")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A service of one tiny model that asks for a key and takes 20 rows a request; the key and the folder with it."""
    root = tmp_path_factory.mktemp("guarded")
    key = text_of("alice")
    (root / "keys").write_text(line_of(key, ["infer", "metadata"], "") + "\n")
    tiny_bundle.publish(root / "repository")
    settings = {"repository": root / "repository", "keys": root / "keys", "request_rows": 20, "watch_seconds": 0.2}
    with live_server(device="cpu", **settings) as server:
        server.wait_until_ready()
        yield server.url, key, root / "repository"


def enter(page, key):
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Go on").click()


def test_page_asks_for_the_key_until_it_holds_and_never_again_in_this_tab(chromium, guarded):
    address, key, _ = guarded
    with looking(chromium, address) as page:
        enter(page, "alice.wrong")
        expect(page.get_by_label("API key")).to_have_value("")
        found = Axe().run(page).response["violations"]
        assert [rule["id"] for rule in found if rule["impact"] in SERIOUS] == []
        enter(page, key)
        expect(page.locator("nav a").first).to_be_visible()
        page.reload()
        expect(page.locator("nav a").first).to_be_visible()
        expect(page.locator("#curl code")).to_contain_text("Bearer $KEY")
        assert key not in page.content()


def _is(found, expected):
    assert found == expected


def test_refusals_are_told_as_sentences_and_new_models_appear_by_themselves(chromium, guarded):
    address, key, repository = guarded
    with looking(chromium, address, "tiny/compare") as page:
        enter(page, key)
        expect(page.locator("#problem")).to_have_text("No other model here has the same kind of x as tiny.")
        tiny_bundle.publish(repository, "arrived")
        expect(page.locator("#model option", has_text="arrived")).to_have_count(1)
        expect(page.get_by_role("status").filter(has_text="New: arrived")).to_be_visible()
        page.get_by_label("Model").select_option("arrived")
        page.get_by_role("link", name="Compare").click()
        expect(page.locator("#problem")).to_contain_text("20")
        assert re.fullmatch(r"[A-Z].*\.", page.locator("#problem").inner_text())
        page.get_by_label("How many").fill("12")
        expect(page.locator(".grid canvas")).to_have_count(24)
        expect(page.locator("#problem")).to_be_hidden()
