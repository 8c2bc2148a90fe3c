"""The panel's style sheet, in JupyterLab's own colours, so that it follows a light or a dark theme by itself."""

from __future__ import annotations

__all__ = ["STYLE"]

STYLE = """<style>
.vg-panel { color: var(--jp-ui-font-color1, inherit); overflow: hidden; }
.vg-panel .widget-label, .vg-panel .widget-html-content { color: var(--jp-ui-font-color1, inherit); }
.vg-panel { container: vg / inline-size; isolation: isolate; }
.vg-panel .vg-chart { isolation: isolate; }
.vg-panel .vg-rows, .vg-panel .vg-rows > * { margin: 0; overflow: visible; }
.vg-panel .vg-toolbar, .vg-panel .vg-buttons, .vg-panel .vg-icons, .vg-panel .vg-choice, .vg-panel .vg-split {
  display: flex; flex-flow: row nowrap; align-items: center; gap: 4px; margin: 0; overflow: visible; }
.vg-panel .vg-toolbar { padding: 2px 0; gap: 4px 12px; }
.vg-panel .vg-rows .jupyter-widgets:not(.vg-popover *) { margin: 0; flex: none; }
.vg-panel .vg-split { gap: 1px; }
.vg-panel .vg-rows .jupyter-button { line-height: 26px; height: 28px; border-radius: 3px; }
.vg-panel .vg-buttons .vg-run { width: 212px; padding: 0 6px; }
.vg-panel .vg-buttons .vg-paused { width: 92px; padding: 0 6px; }
.vg-panel .vg-buttons .vg-stop { width: 76px; padding: 0 6px; }
.vg-panel .vg-rows .vg-opener { width: 30px; padding: 0; font-size: 15px; }
.vg-panel .vg-rows .vg-open-stop { width: 22px; font-size: 12px; }
.vg-panel .vg-run::before, .vg-panel .vg-paused::before, .vg-panel .vg-stop::before { content: "" / "";
  display: inline-block; width: 10px; height: 10px; margin-right: 7px; background: currentColor; }
.vg-panel .vg-run::before { clip-path: polygon(10% 0, 100% 50%, 10% 100%); }
.vg-panel .vg-paused::before { clip-path: polygon(0 0, 35% 0, 35% 100%, 65% 100%, 65% 0, 100% 0, 100% 100%, 0 100%); }
.vg-panel .vg-paused.mod-active::before { clip-path: polygon(10% 0, 100% 50%, 10% 100%); }
.vg-panel .vg-buttons > .vg-restore-last-run:disabled, .vg-panel .vg-buttons > .vg-raise-cap:disabled,
.vg-panel .vg-rows:not(.vg-at-cap) .vg-buttons > .vg-cancel { display: none; }
.vg-panel .vg-rows .widget-toggle-buttons .jupyter-button { padding: 0 9px; margin: 0; }
.vg-panel .vg-rows .widget-toggle-buttons .widget-toggle-button + .widget-toggle-button { margin-left: 1px; }
.vg-panel .vg-rows .vg-choice .widget-text { width: 92px; }
.vg-panel .vg-rows .vg-speed { width: 66px; }
.vg-panel .vg-rows .vg-state-box.vg-state-box { flex: 1 1 0; min-width: 0; height: 28px; }
.vg-panel .vg-rows .vg-progress-box.vg-progress-box { flex: 2 1 140px; min-width: 0; height: 24px; }
.vg-panel .vg-rows .vg-sentence-box.vg-sentence-box { flex: 5 1 300px; min-width: 0; height: 34px; }
.vg-panel .vg-rows .vg-spoken-box.vg-spoken-box { height: 0; overflow: hidden; }
.vg-panel .vg-rows .widget-html-content { width: 100%; margin: 0; }
.vg-panel .vg-state { font-size: 13px; line-height: 28px; white-space: nowrap; overflow: hidden;
  text-overflow: ellipsis; font-variant-numeric: tabular-nums; }
.vg-panel .vg-state b { text-transform: uppercase; letter-spacing: .03em; margin-right: 4px; }
.vg-panel .vg-state .vg-whole { display: none; }
.vg-panel .vg-state-cap-reached b { color: var(--jp-error-color1, #C62828); }
.vg-panel .vg-bar { display: flex; height: 22px; line-height: 22px; border-radius: 3px; overflow: hidden;
  font-size: 12px; background: var(--jp-layout-color3, #ddd); }
.vg-panel .vg-bar > div { min-width: 20px; text-align: center; overflow: hidden; }
.vg-panel .vg-part-held { box-shadow: inset 0 0 0 2px #D55E00; }
.vg-panel .vg-now { font-size: 13px; line-height: 17px; height: 34px; display: flex; align-items: center; }
.vg-panel .vg-now > span { display: -webkit-box; -webkit-line-clamp: 2; -webkit-box-orient: vertical;
  overflow: hidden; }
.vg-panel .vg-popover { display: flex; flex-flow: column nowrap; gap: 6px; box-sizing: border-box; padding: 10px;
  border: 1px solid var(--jp-border-color1, #bbb); border-radius: 4px; background: var(--jp-layout-color1, #fff);
  color: var(--jp-ui-font-color1, #000); box-shadow: 0 4px 14px rgba(0, 0, 0, .25); margin: 0; overflow: auto;
  min-width: 190px; min-height: 60px; }
.vg-panel .vg-popover:not(:popover-open) { display: none; }
.vg-panel .vg-popover .jupyter-widgets { margin: 0; width: auto; max-width: none; }
.vg-panel .vg-popover .jupyter-button { text-align: left; flex: none; }
.vg-panel .vg-drawer { width: 340px; }
.vg-panel .vg-drawer .widget-label { width: 164px !important; flex: none; text-align: left; }
.vg-panel .vg-drawer .widget-textarea, .vg-panel .vg-more-menu .widget-combobox { flex-flow: column; height: auto; }
.vg-panel .vg-drawer .widget-textarea > * { width: 100%; }
.vg-panel .vg-stop-menu .vg-stop::after { content: " – finish what runs"; }
.vg-panel .vg-heading { font-size: 12px; font-weight: 600; line-height: 18px; text-transform: uppercase;
  letter-spacing: .03em; color: var(--jp-ui-font-color2, inherit); }
.vg-panel .vg-ask { max-width: 420px; border: 1px solid var(--jp-border-color1, #bbb); border-radius: 6px;
  padding: 16px; background: var(--jp-layout-color1, #fff); color: var(--jp-ui-font-color1, #000); font-size: 14px;
  line-height: 20px; }
.vg-panel .vg-ask::backdrop { background: rgba(0, 0, 0, .3); }
.vg-panel .vg-ask p { margin: 0 0 14px; }
.vg-panel .vg-ask div { display: flex; justify-content: flex-end; gap: 8px; }
.vg-panel :focus-visible { outline: 2px solid var(--jp-brand-color1, #1976d2); outline-offset: 1px; }
@container vg (min-width: 1400px) {
  .vg-panel .vg-state .vg-short { display: none; }
  .vg-panel .vg-state .vg-whole { display: inline; }
}
@container vg (max-width: 900px) {
  .vg-panel .vg-toolbar, .vg-panel .vg-buttons { flex-wrap: wrap; }
  .vg-panel .vg-rows .vg-buttons.vg-buttons { flex: 0 1 auto; min-width: 0; }
  .vg-panel .vg-rows .vg-toolbar .vg-icons.vg-icons { margin-left: auto; }
  .vg-panel .vg-rows .vg-state-box.vg-state-box { order: 1; flex-basis: 100%; height: 22px; }
  .vg-panel .vg-state { line-height: 22px; }
  .vg-panel .vg-rows .vg-sentence-box.vg-sentence-box { flex-basis: 100%; }
}
.vg-panel .vg-note { font-size: 12px; line-height: 17px; color: var(--jp-ui-font-color2, inherit); }
.vg-panel .vg-above { position: relative; height: 0; margin: 0; overflow: visible; z-index: 3; }
.vg-panel .vg-above > * { position: absolute; top: 0; left: 0; right: 0; margin: 0; overflow: visible; }
.vg-panel .vg-above .jupyter-widgets { margin: 0; overflow: visible; }
.vg-panel .vg-errors, .vg-panel .vg-files { background: var(--jp-layout-color1, #fff); line-height: 18px;
  font-size: 13px; border: 1px solid var(--jp-border-color1, #bbb); border-radius: 0 3px 3px 0;
  box-shadow: 0 3px 10px rgba(0, 0, 0, .25); }
.vg-panel .vg-errors.vg-errors { border-left: 4px solid #C62828;
  background: color-mix(in srgb, #C62828 12%, var(--jp-layout-color1, #fff));
  align-items: flex-start; padding: 6px 8px 6px 10px; }
.vg-panel .vg-errors > .widget-html { flex: 1 1 0; min-width: 0; }
.vg-panel .vg-errors .widget-html-content { max-height: 190px; overflow: auto; line-height: 18px; }
.vg-panel .vg-errors p { margin: 2px 0; white-space: pre-wrap; overflow-wrap: anywhere; user-select: text; }
.vg-panel .vg-errors pre { white-space: pre-wrap; user-select: text; font-size: 12px; margin: 4px 0; }
.vg-panel .vg-errors summary { cursor: pointer; color: var(--jp-ui-font-color2, inherit); }
.vg-panel .vg-above .jupyter-button { height: 24px; line-height: 22px; flex: none; }
.vg-panel .vg-field-error { color: var(--jp-error-color1, #C62828); font-size: 12px; line-height: 16px; }
.vg-panel .vg-choice { position: relative; }
.vg-panel .vg-choice > .vg-field-error { position: absolute; top: calc(100% + 2px); left: calc(100% - 92px); z-index: 4;
  padding: 4px 8px; width: max-content; max-width: 420px; background: var(--jp-layout-color1, #fff);
  border: 1px solid currentColor; border-radius: 3px; box-shadow: 0 3px 10px rgba(0, 0, 0, .25); }
.vg-panel [aria-invalid=true] { border-color: var(--jp-error-color1, #C62828) !important; }
.vg-panel .vg-scroll, .vg-panel .vg-lines { max-height: 260px; overflow: auto; line-height: 16px; font-size: 12px; }
.vg-panel .vg-scroll table { border-collapse: collapse; width: 100%; }
.vg-panel .vg-scroll th { position: sticky; top: 0; text-align: left; background: var(--jp-layout-color2, #eee);
  padding: 2px 8px; }
.vg-panel .vg-scroll td { padding: 1px 8px; border-bottom: 1px solid var(--jp-border-color2, #ddd);
  text-align: left; }
.vg-panel .vg-files { display: none; align-items: center; gap: 10px; padding: 4px 8px 4px 10px; }
.vg-panel .vg-files.vg-shown { display: flex; }
.vg-panel .vg-files > :nth-child(2) { flex: 1; display: flex; flex-wrap: wrap; gap: 2px 14px; }
.vg-panel .vg-link { border: 0; background: none; padding: 0; font: inherit; font-size: 12px; cursor: pointer;
  color: var(--jp-content-link-color, #0b5cad); text-decoration: underline; }
.vg-panel .vg-video { max-width: min(480px, 100%); }
.vg-panel .vg-attempts { overflow-x: auto; font-size: 12px; padding: 2px; }
.vg-panel .vg-attempts td { white-space: nowrap; }
.vg-panel .vg-attempts td:last-child { max-width: 340px; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; }
.vg-panel .vg-attempts input, .vg-panel .vg-attempts select { color: inherit; background: var(--jp-layout-color1, #fff);
  border: 1px solid var(--jp-border-color1, #bbb); border-radius: 2px; }
.vg-panel .jupyter-button { width: auto; padding: 0 12px; flex: none; }
.vg-panel textarea { width: 100%; }
.vg-panel .widget-inline-hbox select, .vg-panel .widget-inline-hbox input { min-width: 0; }
.vg-panel > .lm-Widget:has(.js-plotly-plot) { width: 100%; }
</style>"""
