"""The local Docker image of the reference broker, which stands where a published Kafka image stood.

It honours the same contract: KAFKA_* variables become settings, CLUSTER_ID formats the storage, port 9092 serves
clients, /var/lib/kafka/data keeps the logs.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from harness.targets import leftovers
from harness.targets.images import (
    BASE,
    FILES,
    build_base,
    content_key,
    is_to_build,
    run_build,
)
from harness.targets.target import TargetTrouble

TAG = "local/reference:4.3"
LIBRARIES = ("msgspec", "crc32c", "cramjam", "immutables", "lz4")
"""What the broker imports beside Python's own library."""
PYTHON = "3.11"
"""The base's version of Python."""
_INSTALL_TIMEOUT_S = 600.0
_ROOT = Path(__file__).resolve().parents[2]
_PACKAGE = _ROOT / "reference_broker"
_DOCKERFILE = f"""\
FROM {BASE}
RUN mkdir -p /etc/kafka/docker /mnt/shared/config /opt/kafka/config /var/lib/kafka/data \\
 && useradd --uid 1000 --home-dir /opt/kafka appuser && chown -R appuser /opt/kafka /var/lib/kafka
COPY libraries /opt/reference
COPY server.properties /etc/kafka/docker/
COPY reference_broker /opt/reference/reference_broker
RUN python3 -m compileall -q /opt/reference
ENV PYTHONPATH=/opt/reference PYTHONUNBUFFERED=1
USER appuser
EXPOSE 9092
VOLUME ["/var/lib/kafka/data"]
CMD ["python3", "-m", "reference_broker", "container"]
"""


def build_reference(client: Any, say: Callable[[str], None] = print) -> str:
    """The image of this checkout's broker; its name. TargetTrouble when its libraries cannot be installed."""
    build_base(client, say)
    pinned = _pinned()
    sources = list(_sources())
    defaults = FILES / "server.properties"
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(client.version()["Arch"], client.version()["Arch"])
    parts: list[str | bytes] = [client.images.get(BASE).id, _DOCKERFILE, machine, *pinned, defaults.read_bytes()]
    for file in sources:
        parts += [str(file.relative_to(_ROOT)), file.read_bytes()]
    key = content_key(parts)
    if not is_to_build(client, TAG, key, "the reference broker of this checkout", say):
        return TAG
    with leftovers.temporary_folder() as context:
        (context / "Dockerfile").write_text(_DOCKERFILE, encoding="utf-8")
        shutil.copy(defaults, context / defaults.name)
        (context / defaults.name).chmod(0o644)
        for file in sources:
            place = context / file.relative_to(_ROOT)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, place)
        _install(pinned, machine, context / "libraries")
        run_build(client, TAG, key, context)
    return TAG


def _sources() -> Iterator[Path]:
    """All files of the broker's package, sorted."""
    for file in sorted(_PACKAGE.rglob("*")):
        if file.suffix in (".py", ".typed", ".json") and "__pycache__" not in file.parts:
            yield file


def _pinned() -> list[str]:
    """The libraries with their versions. TargetTrouble where this is no checkout, so that no version is known."""
    file = _ROOT / "constraints.txt"
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as trouble:
        raise TargetTrouble(f"{file}: {trouble.strerror}: the image is built from a checkout") from trouble
    versions = dict(line.split("==") for line in lines if "==" in line)
    return [f"{name}=={versions[name]}" for name in LIBRARIES]


def _install(pinned: list[str], machine: str, into: Path) -> None:
    """Wheels for the image's Python and machine, whatever this one's are."""
    platforms = [f"--platform={name}_{machine}" for name in ("manylinux_2_28", "manylinux_2_17", "manylinux2014")]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--only-binary=:all:", "--no-deps", f"--python-version={PYTHON}", *platforms, f"--target={into}"]
    try:
        done = subprocess.run(
            [*command, *pinned], capture_output=True, text=True, timeout=_INSTALL_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise TargetTrouble(f"pip did not end within {_INSTALL_TIMEOUT_S:g} s") from None
    if done.returncode:
        raise TargetTrouble(f"pip cannot install {', '.join(pinned)}: {done.stderr.strip().splitlines()[-1]}")
