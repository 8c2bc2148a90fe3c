"""The panel's style sheet, in JupyterLab's own colours, so that it follows a light or a dark theme by itself."""

from __future__ import annotations

__all__ = ["STYLE"]

STYLE = """<style>
.vg-panel { color: var(--jp-ui-font-color1, inherit); overflow: hidden; }
.vg-panel .widget-label, .vg-panel .widget-html-content { color: var(--jp-ui-font-color1, inherit); }
.vg-panel .vg-bar { display: flex; height: 22px; line-height: 22px; border-radius: 4px; overflow: hidden;
  font-size: 12px;
  background: var(--jp-layout-color3, #ddd); }
.vg-panel .vg-words { display: flex; justify-content: space-between; flex-wrap: wrap; font-size: 12px;
  line-height: 20px; }
.vg-panel .vg-now { font-size: 15px; line-height: 22px; font-weight: 600; }
.vg-panel .vg-note { font-size: 12px; line-height: 17px; color: var(--jp-ui-font-color2, inherit); }
.vg-panel .vg-chip { line-height: 17px; font-size: 12px; padding: 3px 8px; min-width: 170px; min-height: 36px;
  border: 1px solid var(--jp-border-color1, #bbb); border-radius: 4px; }
.vg-panel .vg-dot { display: inline-block; width: 9px; height: 9px; border-radius: 50%; margin-right: 5px; }
.vg-panel .vg-errors { border-left: 4px solid #C62828; background: rgba(198, 40, 40, .12); padding: 6px 10px;
  line-height: 18px; }
.vg-panel .vg-errors pre { white-space: pre-wrap; user-select: text; max-height: 160px; overflow: auto;
  font-size: 12px; }
.vg-panel .vg-scroll, .vg-panel .vg-lines { max-height: 260px; overflow: auto; line-height: 16px; font-size: 12px; }
.vg-panel .vg-scroll table { border-collapse: collapse; width: 100%; }
.vg-panel .vg-scroll th { position: sticky; top: 0; text-align: left; background: var(--jp-layout-color2, #eee);
  padding: 2px 8px; }
.vg-panel .vg-scroll td { padding: 1px 8px; border-bottom: 1px solid var(--jp-border-color2, #ddd);
  text-align: left; }
.vg-panel .vg-files { display: flex; flex-wrap: wrap; gap: 2px 14px; margin: 0 2px; }
.vg-panel .vg-link { border: 0; background: none; padding: 0; font: inherit; font-size: 12px; cursor: pointer;
  color: var(--jp-content-link-color, #0b5cad); text-decoration: underline; }
.vg-panel .vg-video { max-width: min(480px, 100%); }
.vg-panel .vg-attempts { overflow-x: auto; font-size: 12px; padding: 2px; }
.vg-panel .vg-attempts td:last-child { max-width: 340px; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; }
.vg-panel .vg-attempts input, .vg-panel .vg-attempts select { color: inherit; background: var(--jp-layout-color1, #fff);
  border: 1px solid var(--jp-border-color1, #bbb); border-radius: 2px; }
.vg-panel .jupyter-button { width: auto; padding: 0 12px; flex: none; }
.vg-panel .vg-follow-now, .vg-panel .vg-honour-retry-after { width: auto; flex: none; }
.vg-panel .vg-follow-now input, .vg-panel .vg-honour-retry-after input { width: auto; }
.vg-panel .widget-inline-hbox { max-width: calc(100% - 4px); }
.vg-panel .vg-show-moves { width: 210px; }
.vg-panel .vg-selected { width: 240px; }
.vg-panel textarea { width: 100%; }
.vg-panel .widget-inline-hbox select, .vg-panel .widget-inline-hbox input { min-width: 0; }
.vg-panel > .lm-Widget:has(.js-plotly-plot) { width: 100%; }
</style>"""
