"""The plain-text form of a chapter, made from its HTML: one source, two forms."""

from __future__ import annotations

import re
from html import unescape

_SILENT = frozenset({"style", "svg"})
_SPOKEN = frozenset(f"/{name}" for name in _SILENT)
_BREAKING = frozenset(
    {"p", "div", "section", "article", "ul", "ol", "table", "tr", "li", "dl", "dt", "caption"}
    | {"h1", "h2", "h3", "h4", "summary", "details", "figure", "figcaption", "header", "aside"}
)


# A piece of an address stands in a span of its own, and nothing comes between two.
_TAG = re.compile(
    r'<span class="im-address">|<(/?[A-Za-z][A-Za-z0-9]*)[^>]*>|<!--.*?-->', re.DOTALL
)
_BLANKS = re.compile(r"\s+")
_BEFORE = {
    **dict.fromkeys(_BREAKING, "\n"),
    **dict.fromkeys(("td", "th"), "\t"),
    **dict.fromkeys(("br", "span"), " "),
    **dict.fromkeys(("/h1", "/h2", "/h3", "/h4"), "\n"),
    "li": "\n- ",
    "dd": ": ",
}


def plain_text(html: str) -> str:
    """The text of a fragment of ours: a line per block, cells parted by " | ".

    What we write has no ">" in an attribute: values are escaped.
    """
    text, *rest = _TAG.split(html)
    parts = [_BLANKS.sub(" ", unescape(text))]
    silent = 0
    for tag, after in zip(rest[::2], rest[1::2], strict=True):
        name = tag.lower() if tag else ""
        silent += (name in _SILENT) - (name in _SPOKEN)
        parts.append(_BEFORE.get(name, ""))
        if after and not silent:
            parts.append(" " if after == "\n" else _BLANKS.sub(" ", unescape(after)))
    lines = map(_line, "".join(parts).split("\n"))
    return "\n".join([line for line in lines if line and line != "-"]) + "\n"


def _line(line: str) -> str:
    if "\t" not in line:
        return " ".join(line.split())
    cells = [" ".join(cell.split()) for cell in line.split("\t")]
    return " | ".join([cell for cell in cells if cell])
