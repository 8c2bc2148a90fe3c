"""The wire formats that the emulator speaks, each module beside its table of errors. They do not import each other."""
