"""The browser's tab."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

__all__ = ["Tab"]


class Tab:
    """A tab of the browser, in which a JupyterLab stays loaded from one test to the next."""

    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        self._page: Page | None = None
        self.url = ""
        self.listener: Callable[[str], None] | None = None

    @property
    def page(self) -> Page:
        """The page that is shown."""
        if self._page is None:
            raise RuntimeError("there is no tab open")
        return self._page

    def another(self) -> Page:
        """Return another page of the same browser, which whoever asked for it closes."""
        return self._context.new_page()

    def renew(self, url: str) -> None:
        """Begin with an empty page, to be filled from a server."""
        self.close()
        self._page, self.url = self._context.new_page(), url
        self._page.on("console", lambda message: self._hear(message.text) if message.type == "error" else None)
        self._page.on("pageerror", lambda error: self._hear(str(error)))

    def close(self) -> None:
        """Close it."""
        if self._page is not None:
            self._page.close()
        self._page, self.url = None, ""

    def _hear(self, text: str) -> None:
        if self.listener is not None:
            self.listener(text)
