"""HTML in small pieces. Everything that comes from a run is escaped here; children of elements are markup already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from harness.judging.outcome import Outcome


def text(said: object) -> str:
    """Text as markup."""
    return escape(str(said))


def element(name: str, *children: str, **attributes: str) -> str:
    """An element; `class_` and `for_` lose their last underscore, others turn "_" into "-"."""
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value, quote=True)}"' for key, value in attributes.items()
    )
    return f"<{name}{said}>{''.join(children)}</{name}>"


def link(target: str, *children: str) -> str:
    """A link within the page or to a file beside it."""
    return element("a", *children, href=target)


def badge(outcome: Outcome, said: str = "", *, is_calm: bool = False) -> str:
    """An outcome as sign, word and colour; a calm one has the colour of what needs no look."""
    colour = (Outcome.SKIPPED if is_calm else outcome).value.replace(" ", "-")
    return element("span", f"{outcome.sign} {text(said or outcome.value)}", class_=f"badge {colour}")


def command(line: str) -> str:
    """A command to copy."""
    return element("pre", element("code", text(line)), class_="command") if line else ""


def block(lines: Iterable[str], label: str) -> str:
    """Lines of text as they are, in a box that scrolls by itself."""
    return element("pre", text("\n".join(lines)), class_="lines", tabindex="0", aria_label=label)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    """A table whose cells are markup; on a narrow screen each row becomes a card with the heads as labels."""
    head = "".join(element("th", text(name), scope="col") for name in heads)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td data-label="{escape(name, quote=True)}">{cell}</td>' for name, cell in zip(heads, row, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return f'<table class="{kind or "plain"}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Name and value pairs, values being markup; empty values are left out."""
    rows = "".join(f"<dt>{text(name)}</dt><dd>{value}</dd>" for name, value in pairs if value)
    return f"<dl>{rows}</dl>" if rows else ""


def folded(summary: str, *children: str, is_open: bool = False) -> str:
    """Markup that opens on demand."""
    return f"<details{' open' if is_open else ''}><summary>{summary}</summary>{''.join(children)}</details>"


def picture(svg: str, caption: str) -> str:
    """A picture with its caption; wide ones scroll by themselves."""
    return f'<figure><div class="wide" tabindex="0">{svg}</div><figcaption>{text(caption)}</figcaption></figure>'
