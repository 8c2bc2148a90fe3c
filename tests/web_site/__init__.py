"""The JupyterLite site that `make site` builds: its Python in node, and a notebook in a browser."""
