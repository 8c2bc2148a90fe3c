"""HttpBackend: an API that is described instead of programmed."""
