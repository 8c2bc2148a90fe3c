"""Other people's text in a real JupyterLab: shown as text everywhere, and never executed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.in_lab.conftest import Opener
from tests.in_lab.page import LabPage

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

MARK = "<img src=x"
"""How each payload begins; it is looked for as text."""
EVIL = (
    '<img src=x onerror="window.pwned=1"></style></title></textarea><script>window.pwned=1</script>'
    '<a href="javascript:window.pwned=1">x</a><br>$\\href{javascript:window.pwned=1}{x}$'
)
CODES = "\x1b[31m\u202egpj\u2066\x07"
SETUP = f"""
import json
from urllib.parse import unquote
import httpx
import vidgen_nb as vg
from vidgen_nb.core.model import Mode
from vidgen_nb.emulator.clip import CLIP

EVIL = {EVIL + CODES!r}
limited = []

def respond(request):
    "A server that echoes evil: one scene is refused, one rate limited first, the others succeed."
    scene = unquote(request.headers.get("X-Client-Request-Id", ""))
    error = lambda status, code: httpx.Response(
        status, json={{"error": {{"message": EVIL, "code": code, "type": EVIL}}}}, headers={{"Retry-After": "2"}})
    if request.method == "POST" and scene.startswith("bad"):
        return error(400, "content_policy_violation")
    if request.method == "POST" and scene.startswith("moved") and not limited:
        limited.append(scene)
        return error(429, None)
    if request.url.path.endswith("/content"):
        return httpx.Response(200, content=CLIP, headers={{"Content-Type": "video/mp4"}})
    return httpx.Response(200, json={{"id": "job", "status": "completed", "model": EVIL}})

profiles = [vg.Profile(f"p{{k}}{{EVIL[:180]}}", f"sk-{{k}}", quota_group=f"team {{EVIL[:180]}}") for k in (1, 2)]
scenes = [vg.Scene(f"{{name}} {{EVIL}}", EVIL, size=EVIL) for name in ("ok", "bad", "moved")]
ctl = vg.Controller(
    vg.OpenAIVideos(model=EVIL, transport=httpx.MockTransport(respond)), [*profiles, vg.Profile("p3", "sk-3")],
    mode=Mode(f"mode {{EVIL}}", 1, 4), speed=20, output="hostile/videos")
ctl.scenes = scenes
ctl
"""
RUN = "run = ctl.run_blocking(scenes)\nrun"
FAIL = """
def fail():
    raise ValueError(EVIL)

ctl.post(fail)
files = [str(path.resolve()) for path in ctl.export("hostile/exports")]
"""
SHOWN = "from IPython.display import display\ndisplay(scenes[0], profiles[0], run.metrics(), ctl.last_run.scenes[0])"
TEX = "from IPython.display import HTML\nHTML('$x$')"
TROUBLE = "vg.load_scenes([scenes[0], scenes[0]])"
PWNED = "window.pwned"
TABS = {"Scenes": ".vg-scene-table td", "Attempts": ".vg-attempts td", "Metrics": ".vg-scroll td", "Log": ".vg-lines"}
"""And where the text of others stands there."""


def test_hostile_text_is_shown_and_does_nothing(open_lab: Opener) -> None:
    """Chart, hover, tabs, strip, controls, reprs, errors, and what is saved: text, and `window.pwned` stays unset."""
    page = open_lab(SETUP, RUN, FAIL, SHOWN, TROUBLE, TEX, height=1400)
    for cell in (0, 1, 2, 3):
        page.run(cell)
    page.says("2 of 3 succeeded")
    page.bars(3)
    panel = page.panel()
    panel.locator(".vg-errors", has_text=MARK).wait_for()
    hover(page.page)
    for name, place in TABS.items():
        page.tab(name)
        panel.locator(place, has_text=MARK).filter(visible=True).first.wait_for()
        clean(page)
    page.tab("Videos")
    panel.get_by_label("Video of scene").select_option(index=1)
    page.page.wait_for_function("() => document.querySelector('video')?.readyState === 4")
    page.tab("Attempts")
    link = panel.locator("button.vg-link", has_text=MARK).first
    link.click()
    page.kernel.wait("ctl.selected is not None")
    panel.locator(".vg-lane", has_text=MARK).first.hover()
    page.screenshot("panel")
    clean(page)

    page.run(4)
    page.run(5)
    page.output(5).locator("mjx-container").wait_for()  # TeX has been looked for in all there was
    shown = [page.output(cell) for cell in (1, 3, 4)]
    for output in shown:
        output.get_by_text(MARK).first.wait_for()
        assert output.locator("mjx-container").count() == 0
        assert not set(output.inner_text()) & set(CODES.replace("[31m", "").replace("gpj", ""))
    clean(page)

    text = json.dumps(page.save())
    assert "&lt;img src=x" in text or MARK in text
    files = page.kernel("files")
    assert page.said == []
    page.leave()
    page.open(kernel=False)
    page.picture(0).wait_for()
    clean(page)
    for file in files[:2]:  # the page and the picture of the run
        opened(page.page, Path(file))
    page.said.clear()  # that the models are gone is said on the console


def clean(page: LabPage) -> None:
    """Check that no payload has been executed or has become an element."""
    assert page.page.evaluate(PWNED) is None
    assert page.page.locator("img[src=x], a[href^='javascript:']").count() == 0
    assert page.page.locator(".js-plotly-plot svg a, .js-plotly-plot svg img, .js-plotly-plot .MathJax").count() == 0


def hover(page: Page) -> None:
    """Put the mouse on each bar, and see the payload in what it says."""
    plot = page.locator(".js-plotly-plot").first
    plot.scroll_into_view_if_needed()
    said = []
    for bar in plot.locator(".barlayer .point path").all():
        box = bar.bounding_box()
        if box is None or box["width"] <= 0:
            continue
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_timeout(120)  # plotly answers the mouse at most every 50 ms
        said += words(plot.locator(".hoverlayer text"))
    assert any(MARK in text for text in said), said
    assert page.evaluate(PWNED) is None


def words(found: Locator) -> list[str]:
    """Return the texts of SVG elements."""
    return [text or "" for text in found.all_text_contents()]


def opened(page: Page, file: Path) -> None:
    """Open an exported file as a page of its own: it draws, and nothing of the payload happens."""
    other = page.context.new_page()
    try:
        said: list[str] = []
        other.on("pageerror", lambda error: said.append(str(error)))
        other.goto(file.as_uri())
        if file.suffix == ".html":
            other.wait_for_selector(".js-plotly-plot .barlayer .point")
            hover(other)
        assert MARK in other.content().replace("&lt;", "<")
        assert other.evaluate(PWNED) is None
        assert other.locator("img[src=x], a[href^='javascript:']").count() == 0
        assert said == []
    finally:
        other.close()
