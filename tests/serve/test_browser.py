"""Every page in a real browser, from upload to result, with all other hosts blocked.

Screenshots go to the folder that ATELIER_SCREENSHOTS names, for the README.
"""

import os
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

playwright = pytest.importorskip("playwright.sync_api")

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = [
    pytest.mark.once,
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium: apt install chromium"),
    pytest.mark.timeout(900),
]
PATIENCE = 60_000  # milliseconds


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield browser
        browser.close()


class Page:
    """A page whose requests to other hosts fail, and are remembered."""

    def __init__(self, page, url):
        self.page, self.outside, self.errors = page, [], []
        page.set_default_timeout(PATIENCE)
        page.route("**/*", lambda route: self._route(route, url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(url)
        page.get_by_role("heading", name="Atelier").wait_for()

    def _route(self, route, url):
        address = route.request.url
        if address.startswith((url, "data:", "blob:")):
            route.continue_()
        else:
            self.outside.append(address)
            route.abort()

    def tab(self, name):
        self.page.get_by_role("tab", name=name).click()

    def upload(self, place, *paths):
        """Give files to the component of this id."""
        self.page.locator(f"#{place} input[type=file]").first.set_input_files(
            [str(p) for p in paths]
        )
        self.page.locator(f"#{place} img").first.wait_for()

    def picture(self, place):
        """Wait until the component of this id shows a picture."""
        image = self.page.locator(f"#{place} img").first
        image.wait_for()
        playwright.expect(image).to_have_js_property("complete", True)
        return image

    def screenshot(self, name):
        if folder := os.environ.get("ATELIER_SCREENSHOTS"):
            self.page.wait_for_timeout(700)  # pictures fade in
            self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.fixture
def open_page(chromium, served):
    """`open_page(**options)`: a new visitor's page; what it asked of other hosts fails the test."""
    pages = []

    def new(**options):
        context = chromium.new_context(**{"viewport": {"width": 1180, "height": 900}} | options)
        pages.append(Page(context.new_page(), served.url))
        return pages[-1]

    yield new
    for page in pages:
        page.page.context.close()
        assert page.outside == []
        assert page.errors == []


@pytest.fixture(scope="module")
def painting(served):
    """A painting of the examples that the server offers."""
    return sorted((served.root / "build/app/sample").rglob("*_1.jpg"))[0]


@pytest.fixture(scope="module")
def photo(served):
    return sorted((served.root / "build/app/sample/photos").glob("*.jpg"))[0]


@pytest.fixture
def no_picture(tmp_path):
    path = tmp_path / "page.png"
    path.write_bytes(b"<!doctype html><p>no picture</p>")
    return path


def ask(page, path):
    """Upload a painting and wait for the answer."""
    page.upload("who-picture", path)
    page.page.locator("#who-ask").click()
    page.page.locator("#who-said").get_by_text(re.compile(r"\d+%")).wait_for()


def test_a_painting_is_asked_about_seen_through_and_judged(open_page, served, painting):
    page = open_page()
    ask(page, painting)
    page.page.get_by_text("What the network sees").click()
    page.page.locator("#who-look").click()
    page.picture("who-heat")
    page.screenshot("app_who")

    page.page.locator("#who-artist input, #who-artist textarea").first.fill("Artemisia Gentileschi")
    page.page.locator("#who-wrong").click()
    page.page.get_by_text("Thank you. It is noted.").wait_for()

    import sqlite3

    with sqlite3.connect(served.root / "data/served/served.db") as notes:
        assert ("Artemisia Gentileschi",) in notes.execute("SELECT artist FROM feedback").fetchall()


def test_a_tiff_is_shown_too(open_page, painting, tmp_path):
    with Image.open(painting) as image:
        image.save(tmp_path / "a.tif")
    page = open_page()
    page.page.locator("#who-picture input[type=file]").first.set_input_files(
        str(tmp_path / "a.tif")
    )
    image = page.picture("who-picture")
    playwright.expect(image).not_to_have_js_property("naturalWidth", 0)


def test_what_is_no_painting_is_refused_on_the_first_page(open_page, no_picture):
    page = open_page()
    page.page.locator("#who-picture input[type=file]").first.set_input_files(str(no_picture))
    page.page.wait_for_timeout(1500)
    page.page.locator("#who-ask").click()
    page.page.get_by_text("This is a web page, not a picture").first.wait_for()


def test_a_photo_is_painted_in_a_style_and_rated(open_page, photo, painting):
    page = open_page()
    page.tab("Paint it in that style")
    page.upload("style-content", photo)
    page.upload("style-style", painting)
    page.page.locator("#style-fast").click()
    page.picture("style-made")
    page.picture("style-slider")
    page.screenshot("app_style")
    page.page.locator("#style-rating").get_by_text("4", exact=True).click()
    page.page.locator("#style-thanks").get_by_text("Thank you").wait_for()


def test_a_picture_that_forms_can_be_stopped_and_is_kept(open_page, photo, painting):
    page = open_page()
    page.tab("Paint it in that style")
    page.upload("style-content", photo)
    page.upload("style-style", painting)
    page.page.get_by_text("Pixel by pixel: options").click()
    page.page.get_by_label("number input for Steps at each size").fill("400")
    page.page.locator("#style-slow").click()
    page.page.locator("#style-status").get_by_text(re.compile("Step .* of")).wait_for()
    page.page.locator("#style-stop").click()
    page.page.locator("#style-status").get_by_text("stopped").wait_for()
    page.picture("style-made")
    playwright.expect(page.page.locator("#style-save")).to_be_enabled()


def test_painting_without_a_style_says_what_is_missing(open_page, photo):
    page = open_page()
    page.tab("Paint it in that style")
    page.upload("style-content", photo)
    page.page.locator("#style-fast").click()
    page.page.get_by_text("Expected a style picture").first.wait_for()


def test_photographs_become_paintings(open_page, photo):
    page = open_page()
    page.tab("Photo to Monet")
    page.upload("monet-photos", photo)
    page.page.locator("#monet-paint").click()
    page.picture("monet-made")
    page.page.locator("#monet-said").get_by_text("discriminator").wait_for()
    page.screenshot("app_monet")


def test_no_photograph_is_said(open_page):
    page = open_page()
    page.tab("Photo to Monet")
    page.page.locator("#monet-paint").click()
    page.page.get_by_text("Expected photographs").first.wait_for()


def test_cards_are_shown(open_page):
    page = open_page()
    page.tab("About the models")
    page.page.locator("#about-card").get_by_text("It is not an attribution").first.wait_for()
    page.screenshot("app_about")


def test_on_a_phone_nothing_is_wider_than_the_screen(open_page, painting):
    page = open_page(viewport={"width": 390, "height": 844}, device_scale_factor=2)
    ask(page, painting)
    wide = page.page.evaluate("document.documentElement.scrollWidth")
    page.screenshot("app_phone")
    assert wide <= 390


def test_dark_mode_is_dark_and_readable(open_page, painting):
    page = open_page(color_scheme="dark")
    ask(page, painting)
    page.screenshot("app_dark")
    back, ink = page.page.evaluate(
        """() => [document.body, document.querySelector('#who-said p')].map((element, n) => {
            const rgb = getComputedStyle(element)[n ? 'color' : 'backgroundColor'].match(/[\\d.]+/g);
            return rgb.slice(0, 3).map(Number).reduce((a, b) => a + b) / 3; })"""
    )
    assert back < 60
    assert ink > 180


def test_the_keyboard_reaches_every_tab_and_button(open_page):
    page = open_page()
    page.page.get_by_role("tab", name="Who painted this?").focus()
    page.page.keyboard.press("ArrowRight")
    names = set()
    for _ in range(40):
        page.page.keyboard.press("Tab")
        names.add(page.page.evaluate("document.activeElement.innerText || ''"))
    assert any("Paint" in name or "Who painted" in name for name in names)


def test_every_control_has_a_name_for_screen_readers(open_page):
    page = open_page()
    for tab in (
        "Who painted this?",
        "Paint it in that style",
        "Photo to Monet",
        "About the models",
    ):
        page.tab(tab)
        nameless = page.page.evaluate(
            """() => [...document.querySelectorAll('button, input:not([type=file]), textarea, select')]
                .filter(e => e.offsetParent !== null)
                .filter(e => !(e.innerText || e.ariaLabel || e.title || e.placeholder || e.labels?.length
                    || e.getAttribute('aria-labelledby') || e.closest('label') || e.name))
                .map(e => e.outerHTML.slice(0, 120))"""
        )
        assert not nameless, "\n".join(nameless)
