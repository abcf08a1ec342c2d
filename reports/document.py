"""The frame of a page: an HTML file that opens from disk, in light and dark, on a phone."""

from __future__ import annotations

from pathlib import Path

from reference_broker.command_line import as_typed
from reports.markup import element, link, text
from reports.results import shown_path
from reports.style import CSS
from reports.words import count

SUMMARY_PAGE = "index.html"


def document(title: str, *body: str, style: str = CSS, head: str = "") -> str:
    """A whole page. `body` and `head`, which stands before the title, are markup."""
    about = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta name="color-scheme" content="light dark">{head}<title>{text(title)}</title><style>{style}</style>'
    )
    return f'<!doctype html>\n<html lang="en"><head>{about}</head><body>{"".join(body)}</body></html>\n'


def again(run: str) -> str:
    """The footer that says how the page is built again. `run` is the run's folder as a command names it."""
    command = element("code", text(as_typed("harness report", run)))
    return element("footer", element("p", f"Build this page again: {command}", class_="soft"))


def listing(title: str, meaning: str, sections: list[str], noun: str, path: Path) -> str:
    """A page without scripts that lists things of one kind, with what they mean above them."""
    top = element(
        "header",
        element("h1", text(title)),
        element("p", text(meaning)),
        element("p", count(len(sections), noun), class_="soft"),
        element("nav", link(SUMMARY_PAGE, "Summary page"), aria_label="Pages"),
    )
    return document(title, top, element("main", *sections), again(shown_path(path)))
