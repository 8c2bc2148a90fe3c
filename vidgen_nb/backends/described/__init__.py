"""`HttpBackend`: an API that is described in a notebook's cell instead of programmed.

May import `backends.wire` and, since many APIs copy OpenAI's error shape, `backends.openai.errors`; no other backend.

Theory of operation. A description has two parts. Calls (`call_templates`) say how to make a request; JSON paths
(`json_paths`) say where things are in an answer. `checks` rejects what can be seen to be wrong at once. The rest shows
with the first answers: `path_check` stops the run with `InputError` if a path leads to nothing in the very first answer
that should have it, since every further scene would be paid in vain.
"""
