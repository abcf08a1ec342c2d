"""Imports point one way: the table of who may import whom, and a test that says so."""

from __future__ import annotations

from source_tree import Source, sources

RB = "reference_broker."
WIRE = (RB + "wire",)
ENVIRONMENT = (RB + "environment",)
SETTINGS = (RB + "settings",)
EFFECTS = (RB + "effects", RB + "waiting")
SECURITY = (RB + "security",)
LOG = (RB + "log",)
WAITING = (RB + "waiting",)
RELEASES = (RB + "releases",)
COMMAND_LINE = (RB + "command_line",)  # how every command ends; one file for all of them
JAVA = (RB + "java_hash",)
COORDINATOR = (RB + "coordinator",)
GROUPS = (RB + "groups",)
METADATA = (RB + "metadata",)
STATE_MACHINE = (RB + "state_machine",)
CONTROLLER = (RB + "controller",)
BROKER = (RB + "broker",)
RAFT = (RB + "raft",)
REPLICATION = (RB + "replication",)
HARNESS_CORE = tuple("harness." + part for part in ("history", "judging", "comparing.diff", "model", "workloads"))

# importer -> what of ours it may import; the longest matching importer counts, and a package may import itself.
TABLE: dict[str, tuple[str, ...]] = {
    RB + "wire": (),
    RB + "environment": WIRE,
    RB + "effects": WIRE + ENVIRONMENT,
    RB + "waiting": WIRE + ENVIRONMENT,
    RB + "security": WIRE + ENVIRONMENT,
    RB + "connection": WIRE + EFFECTS,
    RB + "client_connection": WIRE + EFFECTS + (RB + "waiting",),
    RB + "connection_attempts": ENVIRONMENT + WAITING,
    RB + "releases": WIRE,
    RB + "settings": WIRE + RELEASES,
    RB + "metadata": WIRE + SETTINGS + RELEASES,
    RB + "log": WIRE + ENVIRONMENT + SETTINGS,
    RB + "replication": WIRE + ENVIRONMENT + SETTINGS + LOG + EFFECTS + METADATA,
    RB + "broker": WIRE + ENVIRONMENT + SETTINGS + EFFECTS + METADATA + WAITING,
    RB + "life": WIRE + ENVIRONMENT + EFFECTS + METADATA + RAFT + BROKER + GROUPS + REPLICATION,
    RB + "raft": WIRE + ENVIRONMENT + SETTINGS + LOG + EFFECTS + WAITING,
    RB + "state_machine": WIRE + EFFECTS + ENVIRONMENT,
    RB + "coordinator": WIRE + EFFECTS + SETTINGS + ENVIRONMENT + STATE_MACHINE,
    RB + "groups": WIRE + EFFECTS + SETTINGS + COORDINATOR + STATE_MACHINE + ENVIRONMENT + JAVA,
    RB + "controller": WIRE + EFFECTS + WAITING + SETTINGS + RELEASES + ENVIRONMENT + METADATA + STATE_MACHINE + JAVA,
    RB + "apis": WIRE
    + EFFECTS
    + ENVIRONMENT
    + SETTINGS
    + RELEASES
    + LOG
    + REPLICATION
    + RAFT
    + METADATA
    + BROKER
    + CONTROLLER
    + COORDINATOR
    + GROUPS
    + SECURITY,
    RB + "node": ("reference_broker",),
    RB + "server": ("reference_broker",),
    # As the server, the simulation drives whole nodes; and its invariants look into every part of them.
    RB + "simulation": WIRE
    + ENVIRONMENT
    + EFFECTS
    + SETTINGS
    + RELEASES
    + LOG
    + RAFT
    + METADATA
    + CONTROLLER
    + REPLICATION
    + tuple(
        RB + name
        for name in (
            *("connection", "client_connection", "connection_attempts", "node", "startup"),
            *("storage", "storage_choices"),
        )
    ),
    "harness": ("harness", "nemesis", "reports", RB + "wire", *COMMAND_LINE),
    "harness.search.strategies": ("harness", RB + "wire", RB + "settings"),
    "harness.simulate": ("harness", RB + "simulation", *COMMAND_LINE),
    "harness.targets.reference": ("harness", "reference_broker"),
    "harness.targets.simulated": ("harness", "reference_broker"),
    "kafka_verification": ("harness", *COMMAND_LINE),  # what pytest loads in other projects
    "nemesis": (
        "nemesis",
        "harness.hosts",
        "harness.targets.target",
        "harness.targets.cluster_view",
        "harness.targets.node_plan",
        "harness.clients.connection",  # probes as a client, and faults that are requests
        RB + "wire",
        *HARNESS_CORE,
    ),
    # The command carries out what the other files of nemesis only describe: it runs, judges and reports.
    "nemesis.__main__": ("nemesis", *COMMAND_LINE),
    "nemesis.command": ("nemesis", "harness", "reports"),
    "nemesis.scenario": ("nemesis", "harness.clients", "harness.targets.target", *COMMAND_LINE, *HARNESS_CORE),
    "nemesis.judged": ("nemesis", "harness.runs", *HARNESS_CORE),
    "nemesis.live": ("harness.runs.progress",),
    "harness.judging.judge": (*HARNESS_CORE, RB + "wire", *COMMAND_LINE),
    "reports": ("reports", "harness.catalogue", *HARNESS_CORE, *COMMAND_LINE),
    "checks": ("checks", "harness", "nemesis", RB + "wire"),
} | dict.fromkeys(HARNESS_CORE, (*HARNESS_CORE, RB + "wire"))

NOT_IMPORTED_BY_THE_PRODUCT = ("tests", "checks", "bench", "compiled")
OURS = (
    "kafka_verification",
    "reference_broker",
    "harness",
    "nemesis",
    "reports",
    "checks",
    *NOT_IMPORTED_BY_THE_PRODUCT,
)


def is_within(name: str, package: str) -> bool:
    """Whether a dotted name is the package or lies below it."""
    return name == package or name.startswith(package + ".")


def rule_for(module: str) -> tuple[str, tuple[str, ...]] | None:
    """The table's row for a module: the longest importer that holds it."""
    rows = [importer for importer in TABLE if is_within(module, importer)]
    return (max(rows, key=len), TABLE[max(rows, key=len)]) if rows else None


def wrong_imports(source: Source) -> list[str]:
    """A line for each import that the table does not allow a file."""
    row = rule_for(source.module)
    wrong = []
    for line, name in source.imports():
        if not any(is_within(name, package) for package in OURS):
            continue
        if not source.path.startswith("checks/") and any(is_within(name, p) for p in NOT_IMPORTED_BY_THE_PRODUCT):
            wrong.append(f"{source.path}:{line} imports {name}: nothing of the product imports tests or checks")
        elif row is None:
            if is_within(name, RB + "server") and source.path != "reference_broker/__main__.py":
                wrong.append(f"{source.path}:{line} imports {name}: only the entry point may import the server")
        elif not any(is_within(name, allowed) for allowed in (row[0], *row[1])):
            wrong.append(f"{source.path}:{line} imports {name}: {row[0]} may import {', '.join(row[1]) or 'nothing'}")
    return wrong


def test_a_file_imports_only_what_the_table_allows() -> None:
    files = sources("kafka_verification.py", "reference_broker", "harness", "nemesis", "reports", "checks")
    wrong = [line for source in files for line in wrong_imports(source)]
    assert not wrong, "\n".join(wrong)
