"""The live Gantt chart as a widget, and the picture of it that a saved notebook keeps."""
