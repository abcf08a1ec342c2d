"""`python -m harness report RUN`: builds the summary page, the matrix and the Allure report of a stored run again."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.history.store import OUT, StoreTrouble
from reference_broker.command_line import FAILED, Parser, as_typed, complain, told
from reports import matrix, summary
from reports.allure.configuration import CONFIGURATION, REPORT
from reports.results import Results, load

ALLURE = "allure@3.18.0"
"""The npm package that makes the HTML, by name and version: the only place that says so."""
NODE_MAJOR = 20
"""The oldest Node that it runs on."""
GENERATE_S = 300
"""How long npm may take to fetch the package and make the report."""
BAD_INPUT = 2
_TRACKER = re.compile(
    rb"""<script async src=["']https://www\.googletagmanager\.com/[^>]*></script>(?:\s*<script>\s*window\.dataLayer"""
    rb""".*?</script>)?""",
    re.DOTALL,
)
"""Allure's tracking script, which is removed: a report opens from disk and contacts no server."""

Say = Callable[[str], None]


def main(arguments: list[str], say: Say = print) -> int:
    """0 when the summary page is built, with or without Allure; 1 when it cannot be written; 2 for wrong input."""
    parser = Parser(
        prog=as_typed("harness report"),
        description="Builds the summary page, the compatibility matrix and, if Node.js is installed, Allure's report.",
        epilog=f"example: {as_typed(f'harness report {OUT}/latest')}",
    )
    parser.add_argument(
        "run", type=Path, nargs="?", default=OUT / "latest", help="folder of the run (default: the last run)"
    )
    parser.add_argument("--no-allure", action="store_true", help="build only the summary page and the matrix")
    try:
        options = parser.parse_args(arguments)
    except SystemExit as leaving:
        return BAD_INPUT if leaving.code else 0
    try:
        results = load(options.run.resolve() if options.run.is_symlink() else options.run)
        trouble_with_matrix = summary.write_results(results)
    except StoreTrouble as trouble:
        complain("harness", f"report: {trouble}")
        return BAD_INPUT
    except OSError as trouble:
        complain("harness", f"report: {told(trouble)}")
        return FAILED
    say(f"summary       {_typed_path(results.path)}/{summary.PAGE}")
    if trouble_with_matrix:
        say(f"matrix        no page: {trouble_with_matrix}")
    elif (results.path / matrix.PAGE).is_file():
        say(f"matrix        {_typed_path(results.path)}/{matrix.PAGE}")
    if not options.no_allure:
        trouble_with_allure = build_allure(results, say)
        if trouble_with_allure:
            say(f"allure        no report: {trouble_with_allure}. The summary page is the report.")
        summary.write_results(results)  # once more, for its link to Allure's report
    return 0


def _typed_path(path: Path) -> str:
    """A path as the reader's shell takes it: from the current folder on, where it is below that."""
    whole, here = path.absolute(), Path.cwd()
    return (whole.relative_to(here) if whole.is_relative_to(here) else whole).as_posix()


def build_allure(results: Results, say: Say) -> str:
    """Writes Allure's results and its report; what went wrong, "" when nothing was."""
    try:
        from reports.allure import results as allure
    except ModuleNotFoundError as missing:
        return f"the Python package of {missing.name} is not installed"
    written = allure.write(results)
    say(f"allure        {written:,} results in {_typed_path(results.path)}/{allure.RESULTS}")
    if not written:
        return "the run has no results"  # Allure would make an empty report and call it a success
    trouble = node_trouble()
    if trouble:
        return trouble
    say(f"allure        npm package {ALLURE} builds the HTML report (at most {GENERATE_S} s; fetched the first time)")
    trouble = _generate(results.path, allure.RESULTS, REPORT, CONFIGURATION)
    if not trouble:
        say(f"report        {_typed_path(results.path)}/{REPORT}/index.html")
    return trouble


def node_trouble() -> str:
    """Why npm's allure cannot run here; "" when it can."""
    node = shutil.which("node")
    if node is None or shutil.which("npx") is None:
        return f"Node.js is not installed (node and npx, version {NODE_MAJOR} or newer)"
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired) as trouble:
        return f"node --version failed: {trouble}"
    major = said.strip().removeprefix("v").partition(".")[0]
    if not major.isdigit() or int(major) < NODE_MAJOR:
        return f"Node.js {NODE_MAJOR} or newer is needed, this is {said.strip() or 'of an unknown version'}"
    return ""


def _generate(run: Path, results: str, report: str, configuration: str) -> str:
    """Runs npm's allure in the run's folder; what went wrong, "" when nothing did."""
    fresh = run / f"{report}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    call = ["npx", "--yes", ALLURE, "generate", results, "--config", configuration, "--output", fresh.name]
    try:
        code, said = _run(call, run, GENERATE_S)
    except subprocess.TimeoutExpired:
        return f"{ALLURE} did not end within {GENERATE_S} s"
    except OSError as trouble:
        return f"cannot start npx: {trouble}"
    if code or not (fresh / "index.html").is_file():
        lines = said.strip().splitlines()
        return f"{ALLURE} ended with {code}: {lines[-1].strip() if lines else 'no output'}"
    page = fresh / "index.html"
    page.write_bytes(_TRACKER.sub(b"", page.read_bytes()))
    shutil.rmtree(run / report, ignore_errors=True)
    fresh.rename(run / report)
    return ""


def _run(call: Sequence[str], folder: Path, timeout_s: float) -> tuple[int, str]:
    """Exit status and words of a command. TimeoutExpired when it takes too long: its children are killed with it."""
    with subprocess.Popen(
        call, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        try:
            said, _ = process.communicate(timeout=timeout_s)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)  # npx starts node, which would live on
            raise
    return process.returncode, said
