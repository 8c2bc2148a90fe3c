"""The backends: each speaks one API's wire format over HTTP, for the driver to submit, poll, fetch and cancel.

May import the core's model and outcomes, the ports, the clock and plaintext; httpx is imported in this room alone. The
backends do not import each other, except that the errors of OpenAI's shape serve others, too.

Theory of operation. A backend is stateless between calls: an `Operation` holds all that later calls need, and is
recorded, so that a restored run can continue to poll. Every refusal becomes one of the core's outcomes, by status and
code, never by prose (R13). A submit that may have been accepted is `Ambiguous` (R12). The API key goes only to the
origin that the profile names, and is redacted from everything that is read or logged (`wire.http`, `wire.redaction`).

To add a backend:

1. If the API has submit, poll and a result as JSON, try `HttpBackend` (room `described`) first: that needs no code.
2. Make a room `backends/<api>/` with a class that extends `wire.adapter.HttpAdapter`: `name`, and `key_header` if it is
   not `Authorization`.
3. Write `submit` (returns an `Operation`), `poll` (a `Progress`), `fetch` (`self._pool.download` into the sink),
   `cancel`, and `probe` (a free call that tries the key). Call through `self._pool`, which keeps keys and waits right.
   A submit goes through `self._first_answers` (`wire.first_answers`): a mistake of the set-up stops the run early.
4. Write `errors.classify`: decide by the API's own codes (`wire.reading.error_body` reads them), and leave the rest to
   `wire.status_codes.failure_by_status`.
5. If scenes can have images, set `image_parameters` and write `check_scene` (`wire.images`).
6. Add the class to `vidgen_nb/__init__.py`, to the command line's `_backend`, and to `tests/test_keys.py`; write an
   emulator dialect (see `vidgen_nb.emulator`) and tests that run the backend on it.
"""
