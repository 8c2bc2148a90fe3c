"""The live Gantt chart as a widget, and the picture of a run that a saved notebook keeps."""
