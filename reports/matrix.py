"""`matrix.html`: which versions of which APIs were compared, how thoroughly, and where targets differ.

One file that opens from disk: style, script (`assets/`) and data (matrix_data.py) stand in it, and nothing is fetched.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from harness.history.whole_file import write_whole
from reports.document import SUMMARY_PAGE, again, document
from reports.markup import element, link, text
from reports.matrix_data import matrix_data, read_account
from reports.results import Results
from reports.style import CSS
from reports.words import count

PAGE = "matrix.html"
SCRIPTS = ("matrix_elements", "matrix_fields", "matrix_versions", "matrix_apis", "matrix_pages")
"""In the order in which they need each other."""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
"""The browser itself keeps the page from the network."""


def write(results: Results) -> bool:
    """Writes the page into the run's folder; False where the run holds no account. StoreTrouble, OSError."""
    path = results.path / PAGE
    path.unlink(missing_ok=True)  # of an account that is no more
    account = read_account(results)
    if account is None:
        return False
    write_whole(path, page(matrix_data(account, results)))
    return True


def page(data: Mapping[str, Any]) -> str:
    """The page as HTML."""
    *others, last = data["targets"] or ["no target"]
    targets = f"{', '.join(others)} and {last}" if others else last
    versions = sum(len(api["versions"]) for api in data["apis"])
    codes = sum(len(api["refusals"]) for api in data["apis"])
    differences = sum(len(api["differences"]) for api in data["apis"])
    links = (
        link("#", f"Versions ({count(versions)})")
        + link("#error-codes", f"Error codes ({count(codes)})")
        + link("#differences", f"Differences ({count(differences)})")
        + link(SUMMARY_PAGE, "Summary page")
    )
    top = element(
        "header",
        element("h1", "Compatibility matrix"),
        element("p", f"What was asked of {text(targets)}, and how the answers compare."),
        element("p", f"{text(data['run'])} · seed {text(data['seed'])}", class_="soft"),
        element("nav", links, aria_label="Views"),
    )
    unscripted = f"This page needs scripts, which are off. The {link(SUMMARY_PAGE, 'summary page')} works without."
    main = element("main", element("noscript", element("p", unscripted)), id="view")
    script = "\n".join(asset(f"{part}.js") for part in SCRIPTS)
    return document(
        f"Compatibility matrix: {targets}",
        top,
        main,
        again(data["run"]),
        f'<script type="application/json" id="data">{embedded(data)}</script>',
        f"<script>(function () {{\n'use strict';\n{script}}})();</script>",
        style=f"{CSS}{asset('matrix.css')}",
        head=f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
    )


def embedded(data: Any) -> str:
    """JSON that is safe in a script element: it holds nothing that ends the element or starts another."""
    said = json.dumps(data, separators=(",", ":"))
    return said.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def asset(name: str) -> str:
    """An asset of the page, as text."""
    return (files("reports") / "assets" / name).read_text(encoding="utf-8")
