"""Scenes and profiles from files, text and tables; mistakes in them are reported before anything is sent.

May import the core's model, the ports, the provider (for simulated profiles) and errors. Errors name the file, line and
column. They never show an API key, nor anything that could be one in the wrong place.
"""

from __future__ import annotations

from vidgen_nb.inputs.class_profiles import class_profiles
from vidgen_nb.inputs.profiles import load_profiles
from vidgen_nb.inputs.scenes import load_scenes
from vidgen_nb.inputs.simulated_profiles import load_simulated

__all__ = ["class_profiles", "load_profiles", "load_scenes", "load_simulated"]
