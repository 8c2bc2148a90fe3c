"""The what-if explorer, as a cell has it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from vidgen_nb.analysis.simulation.overrides import as_scenes, checks_options
from vidgen_nb.analysis.validation import as_profiles, plain_number
from vidgen_nb.core.model import Mode
from vidgen_nb.core.policy import Policy
from vidgen_nb.errors import InputError
from vidgen_nb.notebook.explorer.exploration import Exploration
from vidgen_nb.notebook.explorer.state import ExplorerState, Fixed
from vidgen_nb.notebook.panel.chart.saved_picture import picture_html
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

    @cached_property
    def page(self) -> ExplorerPage:
        """The widget that shows it."""
        from vidgen_nb.notebook.explorer.page import ExplorerPage  # ipywidgets is loaded once it is needed

        return ExplorerPage(self)

    def _show(self) -> None:
        if "page" in self.__dict__:
            self.page.show()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Return the widget; without one, the picture of the run."""
        view = {"version_major": 2, "version_minor": 0, "model_id": self.page.model_id}
        return {
            "application/vnd.jupyter.widget-view+json": view,
            "text/html": picture_html(self._run, "light"),
            "text/plain": repr(self),
        }

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
