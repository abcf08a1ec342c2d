"""What a README links to is there, and the commands it shows exist."""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from source_tree import ROOT, readmes

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)")


def shown_commands(readme: Path) -> list[str]:
    """Command lines in a README's fenced blocks, prompts and comments taken off."""
    blocks = re.findall(r"```(?:\w*)\n(.*?)```", readme.read_text(encoding="utf-8"), re.S)
    lines = (line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines())
    return [line.split("  #")[0] for line in lines if line]


def named(readme: Path) -> str:
    return readme.relative_to(ROOT).as_posix()


def test_every_link_leads_somewhere() -> None:
    dead = [
        f"{named(readme)}: {link}"
        for readme in readmes()
        for link in LINK.findall(readme.read_text(encoding="utf-8"))
        if "://" not in link and not (readme.parent / link).exists()
    ]
    assert not dead, "\n".join(dead)


def test_every_make_target_shown_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    unknown = [
        f"{named(readme)}: make {word}"
        for readme in readmes()
        for line in shown_commands(readme)
        if line.startswith("make ")
        for word in line.split()[1:]
        if "=" not in word and not word.startswith("-") and word not in targets
    ]
    assert not unknown, "\n".join(unknown)


def said_to_help(command: tuple[str, str]) -> str | None:
    """What a module's command says where it does not know --help; None where it does."""
    module, subcommand = command
    words = [module, subcommand, "--help"] if subcommand else [module, "--help"]
    done = subprocess.run([sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, timeout=60)
    return None if done.returncode == 0 else done.stderr or done.stdout


def test_every_module_command_shown_exists() -> None:
    shown: dict[tuple[str, str], str] = {}
    for readme in readmes():
        for line in shown_commands(readme):
            match = re.search(r"python3? -m (harness|reference_broker|bench)(?:\.\w+)*(?: ([a-z-]+))?", line)
            if match:
                shown.setdefault((match.group(1), match.group(2) or ""), f"{named(readme)}: `{line}`")
    with ThreadPoolExecutor(2) as pool:
        said = zip(shown.values(), pool.map(said_to_help, shown), strict=True)
    wrong = [f"{where}: {text}" for where, text in said if text is not None]
    assert not wrong, "\n".join(wrong)
