"""What importing plotly costs."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.long
def test_no_grammar_is_built_for_the_panel() -> None:
    """It takes five seconds of the way to the first bar; whoever imports it later gets it all the same."""
    code = (
        "import sys, vidgen_nb.notebook.panel.panel; print('rfc3987_syntax' in sys.modules, 'pandas' in sys.modules);"
        "import rfc3987_syntax, jsonschema; print(rfc3987_syntax.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "rfc3987_syntax"]
