"""What a README links to is there, and the commands it shows exist."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from source_tree import ROOT, readmes

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)")


def shown_commands(readme: Path) -> list[str]:
    """Command lines in a README's fenced blocks, prompts and comments taken off."""
    blocks = re.findall(r"```(?:\w*)\n(.*?)```", readme.read_text(encoding="utf-8"), re.S)
    lines = (line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines())
    return [line.split("  #")[0] for line in lines if line]


@pytest.mark.parametrize("readme", readmes(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(readme: Path) -> None:
    links = LINK.findall(readme.read_text(encoding="utf-8"))
    dead = [link for link in links if "://" not in link and not (readme.parent / link).exists()]
    assert not dead, f"{readme.relative_to(ROOT)}: {dead}"


@pytest.mark.parametrize("readme", readmes(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_make_target_shown_exists(readme: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    shown = [word for line in shown_commands(readme) if line.startswith("make ") for word in line.split()[1:]]
    unknown = [word for word in shown if "=" not in word and not word.startswith("-") and word not in targets]
    assert not unknown, f"{readme.relative_to(ROOT)}: {unknown}"


@cache
def usage_of(module: str, subcommand: str) -> subprocess.CompletedProcess[str]:
    words = [module, subcommand, "--help"] if subcommand else [module, "--help"]
    return subprocess.run([sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("readme", readmes(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_module_command_shown_exists(readme: Path) -> None:
    for line in shown_commands(readme):
        match = re.search(r"python3? -m (harness|reference_broker|bench)(?:\.\w+)*(?: ([a-z-]+))?", line)
        if match:
            result = usage_of(match.group(1), match.group(2) or "")
            assert result.returncode == 0, f"{readme.relative_to(ROOT)}: `{line}`: {result.stderr or result.stdout}"
