"""One notebook in JupyterLab, as somebody before the screen has it, and a line to its kernel."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.in_lab.kernel import Kernel
from tests.in_lab.tab import Tab
from tests.lab import Lab

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

__all__ = ["ARTIFACTS", "NOTEBOOK", "RANGE", "LabPage"]

ARTIFACTS = Path("artifacts")
NOTEBOOK = "window.jupyterapp?.shell?.currentWidget"
IDLE = f"""() => {{
    const s = {NOTEBOOK}?.sessionContext, k = s?.session?.kernel;
    return s?.isReady && k?.status === 'idle' && k.connectionStatus === 'connected';
}}"""
OPEN = """([name, kernel]) => window.jupyterapp.commands.execute('docmanager:open', {
    path: name, factory: 'Notebook', kernelPreference: kernel ? undefined : {shouldStart: false, canStart: false},
}).then(() => undefined)"""
SHOWN = f"""name => {NOTEBOOK}?.context?.path === name && {NOTEBOOK}.context.isReady
    && {NOTEBOOK}.node.querySelector('.jp-Notebook .jp-Cell') !== null"""
CLOSE = f"""() => {{ const one = {NOTEBOOK}; one.context.model.dirty = false; one.dispose(); }}"""
DONE = f"""i => {{
    const c = {NOTEBOOK}.content.widgets[i];
    return c.model.executionState === 'idle' && c.model.executionCount != null;
}}"""
RUN = f"""([i, wait]) => {{
    const notebook = {NOTEBOOK};
    notebook.content.activeCellIndex = i;
    const done = window.jupyterapp.commands.execute('notebook:run-cell').then(() => undefined);
    return wait ? done : undefined;
}}"""
POINTS = """cell => {
    const all = document.querySelectorAll('.jp-Notebook .jp-Cell'), root = cell === null ? document : all[cell];
    return Math.max(0, ...Array.from(root.querySelectorAll('.js-plotly-plot'),
        plot => plot.querySelectorAll('.barlayer .point').length));
}"""
FRAME = "async () => { const t = Date.now(); await new Promise(requestAnimationFrame); return Date.now() - t; }"
PLOT = "document.querySelector('.vg-panel .js-plotly-plot')"
SHAPES = f"() => JSON.stringify({PLOT}.layout.shapes)"
RANGE = f"() => {PLOT}._fullLayout.xaxis.range"


class LabPage:
    """A notebook that is open; `kernel` answers for what is in its kernel."""

    def __init__(self, tab: Tab, lab: Lab, name: str, *, width: int = 1280, height: int = 1000) -> None:
        self.lab = lab
        self.name = name
        self.said: list[str] = []
        """What went wrong on the page, by its console."""
        self._tab = tab
        self._size = (width, height)
        self._kernel: Kernel | None = None
        self.open()

    # -- the page

    @property
    def page(self) -> Page:
        """The browser's tab."""
        return self._tab.page

    def open(self, *, kernel: bool = True) -> None:
        """Open the notebook, in the JupyterLab that is on the screen or in a new tab, and wait for its kernel."""
        self._tab.listener = self.said.append
        if self._tab.url == self.lab.url:
            self._resize()
            self.page.evaluate(OPEN, [self.name, kernel])
            self._ready(wait=kernel)
        else:
            self.open_tab()

    def open_tab(self, *, wait: bool = True) -> None:
        """Open the notebook in a new tab of the browser, and wait for its kernel, which may not be busy then."""
        self._tab.renew(self.lab.url)
        self._resize()
        self._load(wait=wait)

    def _resize(self) -> None:
        self.page.set_viewport_size({"width": self._size[0], "height": self._size[1]})

    def _load(self, *, wait: bool) -> None:
        self.page.goto(f"{self.lab.url}/doc/tree/{self.name}?reset", wait_until="domcontentloaded")
        self.page.wait_for_selector("#jupyterlab-splash", state="detached", timeout=60_000)
        self._ready(wait=wait)

    def _ready(self, *, wait: bool = True) -> None:
        self.page.wait_for_function(SHOWN, arg=self.name, timeout=60_000)
        if wait:
            self.page.wait_for_function(IDLE, timeout=60_000)

    def leave(self) -> None:
        """Close the notebook, and end its kernel."""
        self.hang_up()
        self._tab.listener = None  # a chart may still have something to tell its kernel
        if self._tab.url:
            self.page.evaluate(CLOSE)
        self.lab.shut_down(self.name)

    def forgive(self, text: str) -> None:
        """Wait for a message on the console that had to come, and take it away."""
        self.page.wait_for_timeout(50)  # in which playwright hands over what came
        self.said = [each for each in self.said if text not in each]
        self._tab.listener = self.said.append

    def reload(self) -> None:
        """Save, and reload the page."""
        self.save()
        self._load(wait=False)  # the kernel may be busy

    def close_tab(self) -> None:
        """Save, and close the browser's tab; the kernel stays."""
        self.save()
        self._tab.close()

    def save(self) -> dict[str, Any]:
        """Save the notebook and return what is in the file."""
        self.page.evaluate(f"() => {NOTEBOOK}.context.save()")
        book: dict[str, Any] = json.loads((self.lab.root / self.name).read_text())
        return book

    def command(self, name: str) -> None:
        """Carry out one of JupyterLab's own commands, and don't wait for it."""
        self.page.evaluate("name => { window.jupyterapp.commands.execute(name); }", name)

    def picture(self, cell: int) -> Locator:
        """Return the static picture of a run in a cell's output."""
        return self.output(cell).locator(".jp-RenderedHTMLCommon > img, .jp-RenderedHTML > img").first

    def screenshot(self, what: str = "") -> Path:
        """Keep a picture of the page among the artifacts."""
        ARTIFACTS.mkdir(exist_ok=True)
        path = ARTIFACTS / f"{Path(self.name).stem}{'-' * bool(what)}{what}.png"
        self.page.screenshot(path=path)
        return path

    # -- cells

    def run(self, index: int, *, wait: bool = True) -> None:
        """Run one cell, and wait until it is done."""
        self.page.evaluate(RUN, [index, wait])
        if wait:
            self.done(index)

    def run_all(self) -> None:
        """Run all cells, and don't wait."""
        self.command("notebook:run-all-cells")

    def done(self, index: int, timeout: float = 60.0) -> None:
        """Wait until a cell is done."""
        self.page.wait_for_function(DONE, arg=index, timeout=timeout * 1000)

    def is_done(self, index: int) -> bool:
        """Say whether a cell is done."""
        return bool(self.page.evaluate(DONE, index))

    def count(self, index: int) -> int | None:
        """Return the number at a cell's left."""
        found: int | None = self.page.evaluate(f"i => {NOTEBOOK}.content.widgets[i].model.executionCount", index)
        return found

    def outputs(self, index: int) -> list[dict[str, Any]]:
        """Return the outputs of a cell."""
        found: list[dict[str, Any]] = self.page.evaluate(
            f"i => {NOTEBOOK}.content.widgets[i].model.outputs.toJSON()", index
        )
        return found

    def errors(self) -> list[str]:
        """Return the errors of all cells."""
        found: list[str] = self.page.evaluate(
            f"""() => {NOTEBOOK}.content.widgets.filter(c => c.model.type === 'code')
                .flatMap(c => c.model.outputs.toJSON()).filter(o => o.output_type === 'error')
                .map(o => o.ename + ': ' + o.evalue)"""
        )
        return found

    def output(self, index: int) -> Locator:
        """Return where a cell's output stands."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index).locator(".jp-Cell-outputWrapper")

    # -- the kernel

    @property
    def kernel(self) -> Kernel:
        """The line to the kernel that the notebook has now."""
        if self._kernel is None:
            kernel = self.lab.kernel_of(self.name)
            if kernel is None:
                raise RuntimeError(f"{self.name} has no kernel")
            self._kernel = Kernel(self.lab.connection_file(kernel))
        return self._kernel

    def interrupt(self) -> None:
        """As Kernel > Interrupt Kernel."""
        self.command("notebook:interrupt-kernel")

    def restart(self) -> None:
        """As Kernel > Restart Kernel, and yes."""
        self.hang_up()
        self.command("notebook:restart-kernel")
        self.page.locator(".jp-Dialog .jp-mod-accept").click()
        self.page.wait_for_selector(".jp-Dialog", state="detached")
        self.page.wait_for_function(IDLE, timeout=60_000)

    def hang_up(self) -> None:
        """Give up the line to the kernel."""
        if self._kernel is not None:
            self._kernel.close()
            self._kernel = None

    # -- the panel

    def panel(self, cell: int = 0) -> Locator:
        """Return the panel in a cell's output."""
        return self.output(cell).locator(".vg-panel")

    def click(self, name: str, cell: int = 0) -> None:
        """Press a button of the panel, as soon as it can be pressed; `Run`: whatever it says that it will run."""
        panel = self.panel(cell)
        (panel.locator(".vg-run") if name == "Run" else panel.get_by_role("button", name=name, exact=True)).click()

    def menu(self, opener: str, cell: int = 0) -> Locator:
        """Open a menu or the drawer, and return it."""
        self.panel(cell).get_by_role("button", name=opener, exact=True).click()
        opened = self.panel(cell).get_by_role("group", name=opener, exact=True)
        opened.locator("button, input").first.wait_for()
        return opened

    def answer(self, name: str, cell: int = 0) -> None:
        """Answer the question that the panel asks."""
        self.panel(cell).get_by_role("dialog").get_by_role("button", name=name, exact=True).click()

    def active(self, name: str, cell: int = 0) -> None:
        """Wait until a button of several is the one that is chosen."""
        self.panel(cell).locator("button.mod-active", has_text=name).wait_for()

    def runs(self, cell: int = 0) -> None:
        """Wait until the panel knows of a run: Stop can be pressed."""
        stop = self.panel(cell).get_by_role("button", name="Stop", exact=True)
        self.page.wait_for_function("stop => !stop.disabled", arg=stop.element_handle(), timeout=40_000)

    def tab(self, name: str, cell: int = 0) -> None:
        """Open one of the panel's tabs."""
        self.panel(cell).get_by_role("tab", name=name).click()

    def says(self, text: str, cell: int = 0, timeout: float = 40.0) -> None:
        """Wait until the panel says something in its status strip."""
        self.panel(cell).locator(".vg-now", has_text=text).wait_for(timeout=timeout * 1000)

    def answers(self) -> float:
        """Return how many seconds the page takes for a frame."""
        return float(self.page.evaluate(FRAME)) / 1000

    # -- the chart

    def bars(self, least: int, cell: int | None = None, timeout: float = 40.0) -> int:
        """Wait until a chart (of a cell, or any) has at least that many bars, and return how many it has."""
        self.page.wait_for_function(
            f"([least, cell]) => ({POINTS})(cell) >= least", arg=[least, cell], timeout=timeout * 1000
        )
        return self.bars_now(cell)

    def bars_now(self, cell: int | None = None) -> int:
        """Return how many bars there are in a cell's chart, or in the fullest of all."""
        return int(self.page.evaluate(POINTS, cell))

    def updated(self) -> None:
        """Wait until the chart has been brought up to date once more: its line of now has moved."""
        before = self.page.evaluate(SHAPES)
        self.page.wait_for_function(f"before => ({SHAPES})() !== before", arg=before, timeout=40_000)

    def range(self) -> list[float]:
        """Return the time that the chart shows."""
        found: list[float] = self.page.evaluate(RANGE)
        return found

    def zoom(self) -> None:
        """Draw a range with the mouse."""
        plot = self.page.locator(".js-plotly-plot .nsewdrag").first
        plot.scroll_into_view_if_needed()
        box = plot.bounding_box()
        if box is None:
            raise RuntimeError("there is no chart")
        mouse, y = self.page.mouse, box["y"] + box["height"] / 2
        mouse.move(box["x"] + box["width"] * 0.2, y)
        mouse.down()
        mouse.move(box["x"] + box["width"] * 0.4, y)
        mouse.move(box["x"] + box["width"] * 0.5, y)
        mouse.up()

    # -- looks

    def resize(self, width: int) -> None:
        """Make the window wider or narrower."""
        self._size = (width, self._size[1])
        self._resize()

    def theme(self, name: str) -> None:
        """Choose one of JupyterLab's themes."""
        self.page.evaluate("name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})", name)
        self.page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=name)
