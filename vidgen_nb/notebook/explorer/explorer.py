"""The what-if explorer, as a cell has it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from vidgen_nb.analysis.simulation.overrides import as_scenes, checks_options
from vidgen_nb.analysis.validation import as_profiles, plain_number
from vidgen_nb.core.model import Mode
from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError
from vidgen_nb.notebook.explorer.exploration import Exploration
from vidgen_nb.notebook.explorer.state import ExplorerState, Fixed
from vidgen_nb.notebook.panel.chart.saved_picture import HIDE_BESIDE_PANEL, picture_html
from vidgen_nb.policies.cooldowns import PerProfileCooldown
from vidgen_nb.provider import SimulatedProfile
from vidgen_nb.provider.demo_profiles import demo_profiles

if TYPE_CHECKING:
    from vidgen_nb.notebook.explorer.page import ExplorerPage

__all__ = ["Explorer", "explore"]

OWN = ("arrivals", "latency", "order")
"""Options of `simulate` that are controls here."""


class Explorer(Exploration):
    """A setting with its run, shown with a control for each parameter.

    In a cell, `ex.run` is the run of what the controls say now, and `ex.state = …` moves them.
    """

    _picture_id: str | None = None
    """The display id of the picture; None: it was not shown yet."""

    @cached_property
    def page(self) -> ExplorerPage:
        """The widget that shows it."""
        from vidgen_nb.notebook.explorer.page import ExplorerPage  # ipywidgets is loaded once it is needed

        return ExplorerPage(self, self._update_picture)

    def _show(self) -> None:
        if "page" in self.__dict__:
            self.page.show()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Return the widget; for where there are none the picture of the run, and the text."""
        return {**self._widget(), "text/html": picture_html(self._run, "auto")}

    def _ipython_display_(self) -> None:
        """Show the widget, and in a second output, hidden beside it, the picture that stays in a saved notebook.

        Of one bundle with both, JupyterLab shows the widget, and without a kernel an error in its place.
        """
        from IPython.display import display

        show: Any = display  # it is untyped
        show(self._widget(), raw=True)
        self._picture_id = self._picture_id or f"vidgen_nb-{uuid4().hex}"
        show(self._picture(), raw=True, display_id=self._picture_id)

    def _widget(self) -> dict[str, Any]:
        view = {"version_major": 2, "version_minor": 0, "model_id": self.page.model_id}
        return {"application/vnd.jupyter.widget-view+json": view, "text/plain": repr(self)}

    def _picture(self) -> dict[str, str]:
        return {"text/html": HIDE_BESIDE_PANEL + picture_html(self._run, "auto"), "text/plain": ""}

    def _update_picture(self) -> None:
        """Bring the picture up to date, once a hand rests."""
        if self._picture_id is not None:
            from IPython.display import update_display

            update: Any = update_display  # it is untyped
            update(self._picture(), raw=True, display_id=self._picture_id)

    def __repr__(self) -> str:
        try:
            return f"<Explorer {self.state_text}>"
        except InputError:
            return f"<Explorer of {self._run!r}>"


@checks_options
def explore(
    profiles: Iterable[SimulatedProfile] | int | None = None,
    *,
    scenes: Any = 24,
    mode: Mode | str = "normal",
    policy: Policy | str | None = None,
    seed: int = 0,
    state: ExplorerState | str | None = None,
    **options: Any,
) -> Explorer:
    """Return the what-if explorer: every parameter is a control, and each change shows at once what becomes of the run.

    `profiles`: the accounts, or how many of the demo's; default: the demo's four (`demo_profiles`). `scenes`: how many,
    or a list, of which the first ones are run. `mode`, `policy`, `seed`, `options`: as in `simulate`. `arrivals`,
    `latency` and `order` have controls; other options, such as `faults` or `load`, stay as they are given. `state`:
    begin with this setting, or its text, instead. The result shows itself; `ex.run` is the run of what its controls
    say, `ex.state` can be read and set, and `ex.compare()` compares with the setting before over many seeds. Raises
    `InputError` for what can't be simulated.

    >>> ex = explore(scenes=30, mode="boost")
    >>> ex.run.metrics()
    """
    count = plain_number(scenes)
    own = None if isinstance(count, int) else as_scenes(scenes)
    fixed = Fixed(own, {name: each for name, each in options.items() if name not in OWN})
    if state is not None:
        return Explorer(state if isinstance(state, ExplorerState) else ExplorerState.read(state), fixed)
    number = plain_number(4 if profiles is None else profiles)
    given = demo_profiles(number) if isinstance(number, int) else as_profiles(number)
    begun = ExplorerState(
        scenes=count if own is None else len(own),
        profiles=tuple(given),
        mode=mode,  # type: ignore[arg-type]  # it is checked there
        policy=PerProfileCooldown() if policy is None else policy,  # type: ignore[arg-type]
        seed=seed,
        **{name: options[name] for name in OWN if name in options},
    )
    return Explorer(begun, fixed)
