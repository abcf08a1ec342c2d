"""The target `docker@IMAGE`: an image of Apache Kafka, as published or built by `make image`.

Configured by the image's own contract: KAFKA_* variables and CLUSTER_ID.
"""

from __future__ import annotations

from typing import Any

from harness.targets import images
from harness.targets.containers.cluster import SUPPORTED, ContainerCluster
from harness.targets.containers.labels import sweep
from harness.targets.containers.opening import Recipe
from harness.targets.ports import again_if_port_is_taken
from harness.targets.target import ClusterSpec, TargetTrouble


class KafkaContainerTarget:
    """Apache Kafka in containers (Target)."""

    def __init__(self, name: str, image: str, *, is_published: bool | None = None) -> None:
        """`is_published`: whether clients come in by published ports; None where they must."""
        self._name = name
        self._image = image
        self._is_published = is_published

    @property
    def name(self) -> str:
        """As given by `--target`."""
        return self._name

    def missing(self, spec: ClusterSpec | None = None) -> str | None:
        """Why it cannot be used here, and what would help; pulls the image when it is not on this machine."""
        if spec is not None and spec.small_disk_mb:
            return f"{self.name}: no hand on the disks inside a container"
        try:
            client = images.connect()
        except TargetTrouble as trouble:
            return f"{self.name}: {trouble}"
        if not images.has(client, images.ANCHOR):
            return f"{self.name}: the anchor's image {images.ANCHOR} is not built: make image"
        if not images.has(client, self._image) and (reason := _pull(client, self._image)) is not None:
            return f"{self.name}: {reason}"
        return None

    def supports(self, fault: str) -> bool:
        """Whether a fault can be brought about on its clusters."""
        return fault in SUPPORTED

    def open(self, spec: ClusterSpec) -> ContainerCluster:
        """A ready cluster. TargetTrouble when it does not come up, with what its log said."""
        if (reason := self.missing(spec)) is not None:
            raise TargetTrouble(reason)
        client = images.connect()
        sweep(client)
        recipe = Recipe(client=client, name=self.name, image=self._image, is_published=self._is_published)
        return again_if_port_is_taken(lambda: recipe.open(spec))


def _pull(client: Any, image: str) -> str | None:
    """Pulls an image; why it could not be, or None."""
    import docker
    import requests

    repository, colon, tag = image.rpartition(":")
    if not colon or "/" in tag:
        repository, tag = image, "latest"
    try:
        client.images.pull(repository, tag=tag)
    except (docker.errors.DockerException, requests.RequestException) as trouble:
        return f"the image {image} is not on this machine and cannot be pulled ({trouble}); `make image` builds one"
    return None
