"""The pure packages do no IO, read no clock, own no randomness and never depend on a set's order."""

from __future__ import annotations

import ast

from source_tree import Source, sources

PURE = (
    "reference_broker/wire",
    "reference_broker/broker",
    "reference_broker/client_connection.py",
    "reference_broker/connection_attempts.py",
    "reference_broker/connection.py",
    "reference_broker/security",
    "reference_broker/waiting.py",
    "reference_broker/replication",
    "reference_broker/raft",
    "reference_broker/metadata",
    "reference_broker/controller",
    "reference_broker/coordinator",
    "reference_broker/groups",
    "reference_broker/apis",
    "reference_broker/log",
    "reference_broker/node.py",
    "reference_broker/simulation",
    "harness/judging/checkers",
    "harness/comparing/diff.py",
    "harness/judging/guarantees.py",
    "harness/model",
    "harness/workloads",
    "harness/targets/cluster_view.py",
    "nemesis/grudges.py",
    "nemesis/node_specs.py",
    "nemesis/rules.py",
    "nemesis/schedules.py",
)
TOOLS = ("reference_broker/wire/generate", "reference_broker/wire/generator", "reference_broker/apis/catalogue.py")
"""Run by hand on files, never by a node."""
FORBIDDEN = {"asyncio", "socket", "selectors", "threading", "time", "subprocess", "os", "select", "secrets", "tempfile"}
CLOCK_READERS = {"now", "utcnow", "today", "monotonic", "perf_counter"}


def pure_sources() -> list[Source]:
    return [
        source
        for source in sources("reference_broker", "harness", "nemesis")
        if source.path.startswith(PURE) and not source.path.startswith(TOOLS)
    ]


def touched(source: Source) -> list[str]:
    """A line for each place at which a file reaches for the clock, a socket, a file or chance."""
    wrong = [
        f"{source.path}:{line} imports {name}" for line, name in source.imports() if name.split(".")[0] in FORBIDDEN
    ]
    for node in ast.walk(source.tree):
        if isinstance(node, (ast.AsyncFunctionDef, ast.Await)):
            wrong.append(f"{source.path}:{node.lineno} is async")
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id == "random" and node.attr != "Random":
                wrong.append(f"{source.path}:{node.lineno} uses random.{node.attr}: take a Random as an argument")
            if node.value.id in ("datetime", "date") and node.attr in CLOCK_READERS:
                wrong.append(f"{source.path}:{node.lineno} reads the clock: take now_ms as an argument")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open":
            wrong.append(f"{source.path}:{node.lineno} opens a file: go through the Disk that is lent")
    return wrong


def test_a_pure_file_touches_neither_clock_nor_socket_nor_chance() -> None:
    wrong = [line for source in pure_sources() for line in touched(source)]
    assert not wrong, "\n".join(wrong)


def is_a_set(node: ast.expr) -> bool:
    """Whether an expression is visibly a set: a literal, a comprehension or a call of set or frozenset."""
    if isinstance(node, (ast.Set, ast.SetComp)):
        return True
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("set", "frozenset")


def names_of_sets(tree: ast.Module) -> set[str]:
    """Names and attributes that are assigned a set, or annotated as one, anywhere in the file."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign):
            annotation = ast.unparse(node.annotation)
            if annotation.startswith(("set[", "frozenset[")):
                names.add(ast.unparse(node.target))
        elif isinstance(node, ast.Assign) and is_a_set(node.value):
            names.update(ast.unparse(target) for target in node.targets)
    return names


def iterated_sets(source: Source) -> list[str]:
    """A line for each place at which a file iterates over a set."""
    known = names_of_sets(source.tree)
    wrong = []
    for node in ast.walk(source.tree):
        iterables = [node.iter] if isinstance(node, (ast.For, ast.comprehension)) else []
        wrong += [
            f"{source.path}:{iterable.lineno} iterates over a set: sort it"
            for iterable in iterables
            if is_a_set(iterable) or ast.unparse(iterable) in known
        ]
    return wrong


def test_a_pure_file_never_iterates_over_a_set() -> None:
    wrong = [line for source in pure_sources() for line in iterated_sets(source)]
    assert not wrong, "\n".join(wrong)
