"""Scenes and profiles from files, text and tables; what is wrong with them is said before anything is sent."""

from __future__ import annotations

from vidgen_nb.inputs.profiles import load_profiles
from vidgen_nb.inputs.scenes import load_scenes
from vidgen_nb.inputs.simulated import load_simulated

__all__ = ["load_profiles", "load_scenes", "load_simulated"]
