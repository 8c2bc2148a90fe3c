"""The runs in a folder: a list of them, each as a run, and a server whose pages follow those that are under way.

It only reads. It may import runs and what is below; Starlette and uvicorn live here and in the emulator.
"""
