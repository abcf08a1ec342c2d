"""Which modules are compiled, and what keeps a module from it."""

from __future__ import annotations

import ast
import builtins
from pathlib import Path
from typing import Final

MODULES: Final = tuple(
    f"reference_broker.{name}"
    for name in (
        *("apis.delete_records", "apis.fetch", "apis.partition_watch", "apis.produce", "connection"),
        *("log.indexes", "log.partition_log", "log.segment", "log.validation"),
        *("replication.leader", "replication.partition", "replication.reading"),
        *("server.client_socket", "server.loop"),
        *("waiting", "wire.codec", "wire.framing", "wire.record_runs", "wire.record_scan"),
    )
)
"""Those that a Produce and a Fetch pass through, and those whose classes inherit from theirs."""
FROZEN: Final = "Frozen"
"""The base of structs whose keywords are also its own, see `wire.primitives`."""

NOT_LOADED: Final = frozenset(dir(builtins)) - {
    *("bool", "bytearray", "bytes", "dict", "float", "frozenset", "int", "list", "object", "range", "set", "str"),
    *("tuple", "type"),
}
"""Builtins that mypyc does not find when they are named as types of a struct's fields."""


def path_of(module: str) -> str:
    """Its file, from the root of the project."""
    return module.replace(".", "/") + ".py"


def obstacles(source: str, name: str) -> list[str]:
    """What would not behave the same when compiled, a line each; what mypyc itself refuses is not among them."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source, name)):
        if isinstance(node, ast.ClassDef):
            keywords = {ast.unparse(keyword) for keyword in node.keywords}
            if FROZEN in map(ast.unparse, node.bases):
                keywords.discard("frozen=True")
            if keywords:
                found.append(f"{name}:{node.lineno}: mypyc passes over {', '.join(sorted(keywords))} of {node.name}")
            found += [
                f"{name}:{line.lineno}: mypyc cannot load {line.annotation.id}, the type of a field of {node.name}"
                for line in node.body
                if isinstance(line, ast.AnnAssign)
                and isinstance(line.annotation, ast.Name)
                and line.annotation.id in NOT_LOADED
                and node.bases
            ]
            if any("slots=True" in ast.unparse(decorator) for decorator in node.decorator_list):
                found.append(f"{name}:{node.lineno}: mypyc makes no dataclass with slots, as {node.name} is")
        elif isinstance(node, ast.FunctionDef):
            caught: dict[str, str] = {}
            for one in ast.walk(node):
                if isinstance(one, ast.ExceptHandler) and one.name and one.type:
                    kind = ast.unparse(one.type)
                    if caught.setdefault(one.name, kind) != kind:
                        found.append(f"{name}:{one.lineno}: mypyc takes every {one.name} for a {caught[one.name]}")
    return found


def all_obstacles(root: Path) -> list[str]:
    """The obstacles of all modules, and of those that import from them."""
    paths, found = set(map(path_of, MODULES)), []
    for file in sorted((root / "reference_broker").rglob("*.py")):
        path, text = file.relative_to(root).as_posix(), file.read_text(encoding="utf-8")
        found += obstacles(text, path) if path in paths else heirs(text, path)
    return found


def heirs(source: str, name: str) -> list[str]:
    """The classes of a module that inherit from a class of a compiled one, which fails once one of them is made."""
    tree = ast.parse(source, name)
    compiled = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in MODULES
        for alias in node.names
    }
    return [
        f"{name}:{node.lineno}: {node.name} inherits from a compiled class, and is not compiled"
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and compiled & set(map(ast.unparse, node.bases))
    ]
