"""The target `docker@IMAGE`: an image of Apache Kafka, as published or built by `make image`.

Configured by the image's own contract: KAFKA_* variables and CLUSTER_ID.
"""

from __future__ import annotations

import re
from typing import Any

from harness.hosts.lack import Lack, Means
from harness.targets import images
from harness.targets.containers.cluster import ContainerCluster, lack_for_fault
from harness.targets.containers.labels import sweep
from harness.targets.containers.opening import Recipe
from harness.targets.ports import again_if_port_is_taken
from harness.targets.target import NOT_DISKS, NOT_FAULTY, NOT_VOTERS, ClusterSpec, TargetKind, TargetTrouble

_RELEASE = re.compile(r"\d+\.\d+(?:\.\d+)?")


class KafkaContainerTarget:
    """Apache Kafka in containers (Target)."""

    def __init__(self, name: str, image: str, *, is_published: bool | None = None) -> None:
        """`is_published`: whether clients come in by published ports; None where they must."""
        self._name = name
        self._image = image
        self._is_published = is_published

    @property
    def name(self) -> str:
        """The name given with `--target`."""
        return self._name

    @property
    def kind(self) -> TargetKind:
        """Containers."""
        return TargetKind.CONTAINERS

    @property
    def release(self) -> str | None:
        """The image's tag, where that is a release."""
        tag = self._image.rpartition(":")[2]
        return tag if _RELEASE.fullmatch(tag) else None

    def lack(self, spec: ClusterSpec | None = None) -> Lack | None:
        """Why it cannot be used here, and what would help; pulls the image when it is not on this machine."""
        found = None if spec is None else _lack_for(spec)
        found = found or self._lack_of_images()
        return None if found is None else found.of(self.name)

    def _lack_of_images(self) -> Lack | None:
        try:
            client = images.connect()
        except TargetTrouble as trouble:
            return Lack(Means.DOCKER, str(trouble))
        if not images.has(client, images.ANCHOR):
            return Lack(Means.DOCKER, f"the anchor's image {images.ANCHOR} is missing; build it with: make image")
        if not images.has(client, self._image) and (why := _pull(client, self._image)) is not None:
            return Lack(Means.DOCKER, why)
        return None

    def lack_for_fault(self, kind: str) -> Lack | None:
        """Why faults of this kind cannot be injected on its clusters; None when they can."""
        found = lack_for_fault(kind)
        return None if found is None else found.of(self.name)

    def open(self, spec: ClusterSpec) -> ContainerCluster:
        """Opens a healthy cluster. TargetTrouble, with the end of its log, when it does not start."""
        if (lack := self.lack(spec)) is not None:
            raise TargetTrouble(lack.reason)
        client = images.connect()
        sweep(client)
        recipe = Recipe(client=client, name=self.name, image=self._image, is_published=self._is_published)
        return again_if_port_is_taken(lambda: recipe.open(spec))


def _lack_for(spec: ClusterSpec) -> Lack | None:
    if spec.small_disk_mb:
        return NOT_DISKS
    if spec.has_faulty_disks:
        return NOT_FAULTY
    return NOT_VOTERS if spec.has_dynamic_voters else None


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
        return f"the image {image} is not on this machine and cannot be pulled ({trouble}); build one with: make image"
    return None
