"""The panel in a real JupyterLab: one server, one browser, a notebook and a kernel for each test."""
