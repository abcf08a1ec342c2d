"""Why a check, a fault or a test cannot run here: what is missing, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Means(StrEnum):
    """What a target, a fault, a check or a test may need."""

    JAVA = "java"
    """Java, and Kafka's jars or what fetches them."""
    DOCKER = "docker"
    """A Docker daemon, and the images that are asked for."""
    ROOT = "root"
    FUSE = "fuse"
    """/dev/fuse and the Python package pyfuse3, for disks that lose what was not flushed."""
    TOOL = "tool"
    """A program of the operating system: iptables, tc, libfaketime."""
    NODE_JS = "node"
    """Node.js with npm, which makes Allure's report."""
    CHROMIUM = "chromium"
    """A browser that can be driven, for tests of pages."""
    INDEX = "index"
    """A package index from which Python packages can be installed, for tests of our own package."""
    KERNEL = "kernel"
    """Something that this machine's kernel was built without: netem."""
    NETWORK = "network"
    """An address that answers, or a machine that accepts our SSH connection."""
    NODES = "nodes"
    """As many nodes, or nodes of such roles, as the check asks for."""
    FAULTS = "faults"
    """Control over the processes, links, clocks or disks of the cluster."""
    API = "api"
    """An API, or a version of it, that a cluster given by its address does not serve."""
    SOFTWARE = "software"
    """A release, jar, image or setting that the target cannot have."""


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that is missing: what kind, and why, with what to do about it, as one sentence for the user."""

    means: Means
    reason: str

    def __str__(self) -> str:
        return self.reason

    def of(self, name: str) -> Lack:
        """The same with the name of a target or fault in front: "kafka@4.3.1: Java 17 or newer is needed …"."""
        return Lack(self.means, f"{name}: {self.reason}")
