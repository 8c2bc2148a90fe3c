"""What a submit of a described API holds: made of a scene by the user's own function."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vidgen_nb.backends.wire.adapter import form_text
from vidgen_nb.backends.wire.images import check_image_parameter, data_uri, is_http_url
from vidgen_nb.core.model import Scene
from vidgen_nb.errors import InputError
from vidgen_nb.plaintext import clean

__all__ = ["RequestBody"]


class RequestBody:
    """Makes JSON, or a form's fields, of scenes; `images` names parameters that the function gets as data URIs."""

    def __init__(
        self, make: Callable[[Scene], Mapping[str, Any]], *, form: bool = False, images: Sequence[str] = ()
    ) -> None:
        if not callable(make):
            raise InputError("body is a function of a scene, such as lambda scene: {'prompt': scene.prompt}")
        if isinstance(images, str):
            raise InputError(f"images is a list of parameters' names, such as [{images!r}], not a text")
        self._make, self._form, self._images = make, form, images

    def check(self, scene: Scene) -> None:
        """Raise `InputError` for a scene of which none can be made, or whose image is none."""
        for name, image in self._local_images(scene):
            check_image_parameter(name, image)
        self._build(scene)

    def pool_arguments(self, scene: Scene) -> dict[str, Any]:
        """Return how the pool is to send it; JSON is made, and its images are read, when a connection is free."""
        if not self._form:
            return {"body": lambda: self._build(self._with_images(scene))}
        fields = self._build(self._with_images(scene)).items()
        return {"form": {str(name): form_text(value) for name, value in fields if value is not None}}

    def _local_images(self, scene: Scene) -> list[tuple[str, object]]:
        """Return the scene's own images; those that the API fetches itself are passed on."""
        found = ((name, scene.params.get(name)) for name in self._images)
        return [(name, image) for name, image in found if image is not None and not is_http_url(image)]

    def _with_images(self, scene: Scene) -> Scene:
        uris = {name: data_uri(image) for name, image in self._local_images(scene)}
        return Scene(scene.id, scene.prompt, **{**scene.params, **uris}) if uris else scene

    def _build(self, scene: Scene) -> Mapping[str, Any]:
        try:
            content = self._make(scene)
            json.dumps(content, allow_nan=False, ensure_ascii=False).encode()
        except Exception as error:  # noqa: BLE001 - a user's function, whose mistake is to be said with the scene
            raise InputError(f"body(scene) failed: {type(error).__name__}: {clean(str(error))}") from None
        if not isinstance(content, Mapping):
            raise InputError(f"body(scene) returned {type(content).__name__}: return a mapping")
        return content
