"""A run as one page that can be sent to somebody: settings, figures, numbers, scenes.

The page needs no network and no kernel: plotly.js stands in it once, figures are compressed data, and each follows the
reader's light or dark theme by a small difference. Everything else is HTML without scripts. Foreign text (prompts, ids,
reasons) is cleaned and escaped.
"""
