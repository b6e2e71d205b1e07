"""The page in a real headless Chromium."""

import shutil
import time
from collections.abc import Iterator

import numpy as np
import pytest
import soundfile

from tests.backend.service.running import QUICK, ROOT

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SPEECH = ROOT / "backend" / "samples" / "speech.flac"


PAINTED = """id => {
    const canvas = document.getElementById(id), context = canvas.getContext("2d");
    return context.getImageData(0, 0, canvas.width, canvas.height).data.filter((v, i) => i % 4 == 3 && v).length;
}"""

NOTE_PROGRESS = """() => {
    const isBar = node => node.tagName === "PROGRESS";
    new MutationObserver(news => { window.progressed ||= news.some(({ addedNodes }) => [...addedNodes].some(isBar)); })
        .observe(document.getElementById("jobs"), { childList: true, subtree: true });
}"""
"""A quick machine shows a job's progress for a moment only, which polling from outside may miss."""


def until(page, expression: str, timeout: int = 90_000) -> None:
    """Wait for an expression to be true; asked from outside, since the page's policy lets nothing evaluate text."""
    end = time.monotonic() + timeout / 1000
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(30)


@pytest.fixture(scope="module")
def browser() -> Iterator:
    """A Chromium that is installed on this machine; playwright's own download is not needed."""
    found = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if found is None:
        pytest.skip(f"no browser is installed ({', '.join(BROWSERS)}); on Debian: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser, service) -> Iterator:
    """An open tab; it fails the test where the page breaks its own policy, throws, or asks anybody else."""
    tab = browser.new_page(viewport={"width": 1200, "height": 1000})
    faults, asked = [], []
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.on("console", lambda message: faults.append(message.text) if "Content Security" in message.text else None)
    tab.on("request", lambda request: asked.append(request.url))
    yield tab
    tab.close()
    assert not faults
    assert not [url for url in asked if not url.startswith((service.client.url, "blob:", "data:"))]


def test_without_the_token_it_asks_for_it(page, service):
    page.goto(service.client.url)
    page.wait_for_selector("#door:not([hidden])")
    page.fill("#token", "wrong")
    page.click("#login button")
    until(page, "document.getElementById('refused').textContent.includes('token')")
    page.fill("#token", service.token)
    page.click("#login button")
    page.wait_for_selector("#inside:not([hidden])")
    assert "default" in page.inner_text("#actors")


def test_the_token_does_not_stay_in_the_address(page, service):
    page.goto(f"{service.client.url}/#token={service.token}")
    page.wait_for_selector("#inside:not([hidden])")
    assert page.url == f"{service.client.url}/"


def test_a_recording_is_sent_followed_and_played(page, service, tmp_path):
    page.goto(f"{service.client.url}/#token={service.token}")
    until(page, "document.getElementById('state').textContent === 'connected'")
    line = tmp_path / "first line.flac"
    speech, rate = soundfile.read(SPEECH)
    soundfile.write(line, np.tile(speech, 6), rate)
    page.set_input_files("#file", line)
    page.evaluate(NOTE_PROGRESS)
    page.click("#new button")
    item = "#jobs li:has-text('first line')"
    page.wait_for_selector(f"{item}[data-state=done]", timeout=120_000)
    assert page.evaluate("window.progressed")
    page.click(f"{item} button:has-text('Show')")
    until(page, "document.querySelectorAll('#strip img').length === 16")
    until(page, "[...document.querySelectorAll('#strip img')].every(i => i.naturalWidth === 128)")
    for canvas in ("wave", "curves"):
        assert page.evaluate(PAINTED, canvas) > 1000
    assert "jawOpen" in page.inner_text("#legend")
    page.evaluate("document.getElementById('audio').play()")
    until(page, "document.getElementById('audio').currentTime > 0.3")
    until(page, "document.getElementById('now').naturalWidth === 128")
    assert page.evaluate("document.getElementById('audio').duration") == pytest.approx(6 * len(speech) / rate, abs=0.1)
    page.screenshot(path=str(tmp_path / "page.png"))
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename == "first line.zip"


def test_jobs_of_others_appear_by_themselves_and_failures_say_why(page, service, new_sound):
    client = service.client
    page.goto(f"{client.url}/#token={service.token}")
    until(page, "document.getElementById('state').textContent === 'connected'")
    job = client.animate(client.upload(new_sound()), name="from elsewhere", **QUICK)
    page.wait_for_selector(f"#job-{job.id}[data-state=done]", timeout=60_000)
    waiting = client.animate(client.upload(new_sound(60.0)), texture=True)
    page.click(f"#job-{waiting.id} button:has-text('Cancel')")
    page.wait_for_selector(f"#job-{waiting.id}[data-state=cancelled]", timeout=60_000)
    assert page.is_visible(f"#job-{waiting.id} button:has-text('Retry')")


def test_a_file_that_is_no_sound_is_refused_with_its_sentence(page, service, tmp_path):
    (tmp_path / "notes.txt").write_text("these are notes")
    page.goto(f"{service.client.url}/#token={service.token}")
    page.wait_for_selector("#actor option", state="attached")
    page.set_input_files("#file", tmp_path / "notes.txt")
    page.click("#new button")
    until(page, "document.getElementById('problem').textContent !== ''")
    assert "cannot be decoded" in page.text_content("#problem")
