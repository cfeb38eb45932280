"""The plain-text form of a chapter, made from its HTML: one source, two forms."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_SILENT = frozenset({"style", "svg"})
_BREAKING = frozenset(
    {"p", "div", "section", "article", "ul", "ol", "table", "tr", "li", "dl", "dt", "caption"}
    | {"h1", "h2", "h3", "h4", "summary", "details", "figure", "figcaption", "header", "aside"}
)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in _SILENT
        if tag in _BREAKING:
            self.parts.append("\n")
        if tag in ("td", "th"):
            self.parts.append("\t")
        if tag == "li":
            self.parts.append("- ")
        if tag == "br" or (tag == "span" and ("class", "im-address") not in attrs):
            self.parts.append(" ")
        if tag == "dd":
            self.parts.append(": ")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in _SILENT
        if re.fullmatch("h[1-4]", tag):
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(re.sub(r"\s+", " ", data))


def plain_text(html: str) -> str:
    """The text of a fragment of ours: a line per block, cells parted by " | "."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (_line(line) for line in "".join(reader.parts).split("\n"))
    return "\n".join(line for line in lines if line and line != "-") + "\n"


def _line(line: str) -> str:
    cells = [re.sub(r" +", " ", cell).strip() for cell in line.split("\t")]
    return " | ".join(cell for cell in cells if cell)
