"""The body of a submit to a described API: made from a scene by the user's own function."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vidgen_nb.backends.wire.fields import form_text
from vidgen_nb.backends.wire.images import check_image_parameter, data_uri, is_http_url
from vidgen_nb.core.model import Scene
from vidgen_nb.errors import InputError
from vidgen_nb.plaintext import one_line

__all__ = ["RequestBody"]


class RequestBody:
    """Makes JSON, or a form's fields, from scenes; `images`: parameters that the function gets as data URIs."""

    def __init__(
        self, make: Callable[[Scene], Mapping[str, Any]], *, form: bool = False, images: Sequence[str] = ()
    ) -> None:
        if not callable(make):
            raise InputError("body must be a function of a scene, such as lambda scene: {'prompt': scene.prompt}")
        if isinstance(images, str):
            raise InputError(f"images must be a list of parameter names, such as [{images!r}], not a text")
        self._make, self._form, self._images = make, form, images

    def check(self, scene: Scene) -> None:
        """Raise `InputError` for a scene that the function fails for, or whose image can't be sent."""
        for name, image in self._local_images(scene):
            check_image_parameter(name, image)
        self._build(scene)

    def pool_arguments(self, scene: Scene) -> dict[str, Any]:
        """Return the body as arguments of `HttpPool.call`; JSON and its images are made once a connection is free."""
        if not self._form:
            return {"body": lambda: self._build(self._with_images(scene))}
        fields = self._build(self._with_images(scene)).items()
        return {"form": {str(name): form_text(value) for name, value in fields if value is not None}}

    def _local_images(self, scene: Scene) -> list[tuple[str, object]]:
        """Return the scene's images that we must send; URLs are passed on, since the API fetches those itself."""
        found = ((name, scene.params.get(name)) for name in self._images)
        return [(name, image) for name, image in found if image is not None and not is_http_url(image)]

    def _with_images(self, scene: Scene) -> Scene:
        uris = {name: data_uri(image) for name, image in self._local_images(scene)}
        return Scene(scene.id, scene.prompt, **{**scene.params, **uris}) if uris else scene

    def _build(self, scene: Scene) -> Mapping[str, Any]:
        try:
            content = self._make(scene)
            json.dumps(content, allow_nan=False, ensure_ascii=False).encode()
        except Exception as error:  # noqa: BLE001 - the user's function: report its mistake with the scene
            raise InputError(f"body(scene) failed: {type(error).__name__}: {one_line(str(error))}") from None
        if not isinstance(content, Mapping):
            raise InputError(f"body(scene) returned {type(content).__name__}: return a mapping")
        return content
