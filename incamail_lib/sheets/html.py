"""A document as one HTML page that needs nothing from outside, and its parts for a notebook.

Every element is made by `Markup.format`, which escapes whatever is no markup of ours.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from markupsafe import Markup, escape

from incamail_lib.i18n import Language, Text
from incamail_lib.sheets.cleaning import Cleaned, clean, is_address
from incamail_lib.sheets.language import DASH, formatter
from incamail_lib.sheets.markup import filled, joined, lined, spaced
from incamail_lib.sheets.model import (
    SIGNS,
    Banner,
    Block,
    Cell,
    Checklist,
    Code,
    Document,
    FileName,
    Fold,
    Gap,
    Heading,
    Inline,
    Link,
    Listing,
    Mark,
    Missing,
    Paragraph,
    Phrase,
    Picture,
    Point,
    Points,
    Quiet,
    Section,
    SignatureLine,
    SignatureLines,
    Strong,
    Table,
    Together,
    Verbatim,
    gaps,
    in_words,
    kept_together,
)
from incamail_lib.sheets.policy import policy
from incamail_lib.sheets.style import page_style
from incamail_lib.sheets.telling import (
    IN_WORDS,
    SIGNATURE_HEADINGS,
    SIGNATURE_WIDTHS,
    incomplete,
    told,
    told_title,
    told_under,
)

_PAGE = Markup("""<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} – {organisation}</title>
<style>{style}</style>
</head>
<body>
<main id="main" class="im-report">
{body}
</main>
</body>
</html>
""")
# A link leads to a page or beside the document, never to a script.
_TARGET = re.compile(r"(?:https?://|mailto:|\.{0,2}/)?[^:\s]+(?::\d+)?[^:\s]*")
_IN_ADDRESSES = re.compile(r"(?<=[.@])")
_UNBROKEN = 36  # letters of an address that every column of ours holds
_SVG_FONT = "Inter, Runbook Symbols, Helvetica Neue, Helvetica, Arial, sans-serif"


def render_html(document: Document, language: Language) -> str:
    """The document as a page in the style of the reports, everything in it escaped."""
    style = page_style()
    page = _PAGE.format(
        language=language,
        policy=Markup(policy(style)),  # noqa: S704 – ours, and without a double quote
        title=told(document.title, language),
        organisation=clean(document.organisation),
        style=Markup(style),  # noqa: S704 – a file of ours
        body=Markup(render_fragment(document, language)),  # noqa: S704 – made below
    )
    return str(page)


def render_fragment(document: Document, language: Language) -> str:
    """What stands on the page, for a notebook that brings the style itself."""
    return str(_Writer(language).document(document))


def render_head(document: Document, language: Language) -> str:
    """What stands above the first section."""
    return str(_Writer(language).head(document))


def render_section(section: Section, language: Language) -> str:
    """One section as it stands on a page, for a notebook that shows it alone."""
    return str(_Writer(language).section(section, section.key or "section"))


def render_blocks(blocks: tuple[Block, ...], language: Language) -> str:
    """Blocks without a heading above them, for a form that has one."""
    return str(_Writer(language).blocks(blocks))


def fragment(body: str, key: str, language: Language) -> str:
    """HTML of ours in the element that the style sheet and screen readers go by."""
    return f'<section class="im-report im-chapter-{key}" lang="{language}">\n{body}\n</section>'


def drawn(picture: Picture, language: Language) -> Markup:
    """The picture's drawing as one SVG element, named by its title."""
    drawing = picture.drawing
    return Markup(
        '<svg class="im-drawing" role="img" aria-label="{title}" viewBox="0 0 {width} {height}" '
        'width="{width}" height="{height}" xmlns="http://www.w3.org/2000/svg" '
        'font-family="{font}">{shapes}</svg>'
    ).format(
        title=told(picture.title, language),
        width=drawing.width,
        height=drawing.height,
        font=_SVG_FONT,
        shapes=Markup(drawing.shapes(language)),  # noqa: S704 – escaped by the drawing
    )


class _Writer:
    """Tells values as HTML, in one language."""

    def __init__(self, language: Language) -> None:
        self._language: Language = language
        self._labels: Counter[str] = Counter()

    def document(self, document: Document) -> Markup:
        """Everything, from the title to the last line."""
        sections = (
            self.section(section, section.key or f"s{number}")
            for number, section in enumerate(document.sections, 1)
        )
        return lined((self.head(document), *sections))

    def head(self, document: Document) -> Markup:
        """Title, day, remarks, and how much is missing."""
        under, title = told_under(document, self._language), self._told(document.title)
        parts = [
            filled('<p class="im-eyebrow">{}</p>\n<h1>{}</h1>', under, title),
            *(
                filled('<div class="im-banner" role="note"><p>{}</p></div>', self._told(r))
                for r in document.remarks
            ),
        ]
        missing = len(gaps(document))
        if missing:
            parts.append(filled('<p class="im-note">{}</p>', self._told(incomplete(missing))))
        return lined(parts)

    def section(self, section: Section, key: str) -> Markup:
        """The heading and its blocks."""
        title = self._told(told_title(section))
        new = Markup(' class="im-new-page"') if section.new_page else ""
        head = filled('<h2 id="{}"{}>{}</h2>', key, new, title)
        return lined((head, *self._blocks(section.blocks, title)))

    def blocks(self, blocks: tuple[Block, ...]) -> Markup:
        """Blocks that stand alone."""
        return lined(self._blocks(blocks, ""))

    def _blocks(self, blocks: tuple[Block, ...], label: str) -> Iterable[Markup]:
        return [self._block(block, label) for block in kept_together(blocks)]

    def _block(self, block: Block, label: str) -> Markup:  # noqa: C901, PLR0911, PLR0912 – one a kind
        match block:
            case Heading(text, key):
                name = filled(' id="{}"', key) if key else ""
                return filled("<h3{}>{}</h3>", name, self._inline(text))
            case Paragraph(text, style):
                return filled('<p class="im-p-{}">{}</p>', style, self._inline(text))
            case Gap(missing):
                return filled("<p>{}</p>", self._inline(missing))
            case Listing():
                return self._listing(block)
            case Points(items):
                made = lined(self._point(point) for point in items)
                return filled('<ol class="im-points">\n{}\n</ol>', made)
            case Table():
                return self._table(block, label)
            case Checklist():
                return self._checklist(block)
            case SignatureLines(lines):
                return self._signatures(lines)
            case Banner():
                return self._banner(block)
            case Verbatim(lines):
                spoken = lined(self._inline(line) for line in lines)
                return filled('<pre class="im-verbatim">{}</pre>', spoken)
            case Picture():
                return self._picture(block)
            case Fold(title, blocks):
                inner = lined(self._blocks(blocks, self._told(title)))
                return self._fold(self._inline(title), inner)
            case Together(blocks):
                inner = lined(self._block(b, label) for b in blocks)
                return filled('<div class="im-together">\n{}\n</div>', inner)

    def _told(self, inline: Inline) -> Cleaned:
        return told(inline, self._language)

    def _inline(self, inline: Inline) -> Markup:  # noqa: PLR0911 – one line a kind
        match inline:
            case Text():  # the most, by far
                return escape(self._told(inline))
            case Phrase(parts):
                return spaced([self._inline(part) for part in parts])
            case Missing():
                return filled('<mark class="im-gap">{}</mark>', self._told(inline))
            case Code():
                return filled('<span class="im-mono">{}</span>', _code(self._told(inline)))
            case Strong():
                return filled("<strong>{}</strong>", self._told(inline))
            case Quiet():
                return filled('<span class="im-quiet">{}</span>', self._told(inline))
            case Mark(state, text):
                return filled(
                    '<span class="im-o im-m-{}"><span class="im-sym" aria-hidden="true">{}</span> '
                    "{}</span>",
                    state,
                    SIGNS[state],
                    self._told(text),
                )
            case Link(_, target) if _TARGET.fullmatch(target):
                return filled('<a href="{}" rel="noreferrer">{}</a>', target, self._told(inline))
            case FileName():
                return self._file(inline)
            case _:
                return escape(self._told(inline))

    def _file(self, inline: FileName) -> Markup:
        name = self._told(inline)
        return filled('<a href="{}">{}</a>', name, name)

    def _listing(self, block: Listing) -> Markup:
        tag = "ol" if block.numbered else "ul"
        items = lined(filled("<li>{}</li>", self._inline(i)) for i in block.items)
        return filled("<{}>\n{}\n</{}>", tag, items, tag)

    def _point(self, point: Point) -> Markup:
        lines = joined(filled("<p>{}</p>", self._inline(line)) for line in point.lines)
        facts = joined(
            filled("<dt>{}</dt><dd>{}</dd>", self._told(name), self._cell(cell))
            for name, cell in point.facts
        )
        named = filled("<dl>{}</dl>", facts) if point.facts else ""
        return filled(
            '<li class="im-m-{}"><p class="im-title">{}</p>{}{}</li>',
            point.state,
            self._inline(point.title),
            lines,
            named,
        )

    def _cell(self, lines: Cell) -> Markup:
        if not lines:
            return escape(DASH)
        return joined(
            [filled('<span class="im-item">{}</span>', self._inline(line)) for line in lines]
        )

    def _table(self, block: Table, label: str) -> Markup:
        name = self._label(self._told(block.caption) if block.caption else label)
        head = Markup("")
        if block.headings:
            cells = joined(filled('<th scope="col">{}</th>', self._told(h)) for h in block.headings)
            head = filled("<thead><tr>{}</tr></thead>\n", cells)
        caption = Markup("")
        if block.caption:
            caption = filled("<caption>{}</caption>\n", self._told(block.caption))
        rows = lined(self._row(row, len(block.widths)) for row in block.rows)
        return filled(
            '<div class="im-scroll" tabindex="0" role="region" aria-label="{}">\n'
            '<table class="im-table {}">\n{}{}\n{}<tbody>\n{}\n</tbody>\n</table>\n</div>',
            name,
            "im-rows" if block.headings else "im-pairs",
            caption,
            _columns(block.widths),
            head,
            rows,
        )

    def _label(self, name: str) -> str:
        """A name that no other region of the page has."""
        self._labels[name] += 1
        count = self._labels[name]
        return name if count == 1 else f"{name} ({count})"

    def _row(self, row: tuple[Cell, ...], columns: int) -> Markup:
        if len(row) < columns:
            return filled(
                '<tr><th scope="rowgroup" colspan="{}" class="im-group">{}</th></tr>',
                columns,
                self._cell(row[0]),
            )
        first = filled('<th scope="row">{}</th>', self._cell(row[0]))
        rest = joined(filled("<td>{}</td>", self._cell(c)) for c in row[1:])
        return filled("<tr>{}{}</tr>", first, rest)

    def _checklist(self, block: Checklist) -> Markup:
        tell = formatter(self._language)
        items = lined(
            filled(
                '<li><span class="im-box" role="img" aria-label="{}">{}</span> {}</li>',
                tell.gettext("done") if row.done else tell.gettext("open"),
                "☑" if row.done else "☐",
                self._inline(row.text),
            )
            for row in block.rows
        )
        return filled('<ul class="im-checklist">\n{}\n</ul>', items)

    def _signatures(self, lines: Iterable[SignatureLine]) -> Markup:
        head = joined(filled('<th scope="col">{}</th>', self._told(h)) for h in SIGNATURE_HEADINGS)
        rows = lined(
            filled(
                '<tr><th scope="row">{}</th><td>{}</td><td>{}</td><td></td></tr>',
                self._told(line.party),
                clean(line.name),
                self._told(line.signed_on) if line.signed_on else "",
            )
            for line in lines
        )
        return filled(
            '<table class="im-table im-rows im-signatures">\n{}\n<thead><tr>{}</tr></thead>\n'
            "<tbody>\n{}\n</tbody>\n</table>",
            _columns(SIGNATURE_WIDTHS),
            head,
            rows,
        )

    def _banner(self, block: Banner) -> Markup:
        return filled(
            '<div class="im-verdict im-m-{}">\n<p class="im-verdict-word"><span class="im-sym" '
            'aria-hidden="true">{}</span> {}</p>\n<p class="im-verdict-sentence">{}</p>\n</div>',
            block.state,
            SIGNS[block.state],
            self._told(block.word),
            self._told(block.sentence),
        )

    def _picture(self, block: Picture) -> Markup:
        caption = Markup("")
        if block.caption:
            caption = filled("<figcaption>{}</figcaption>\n", self._told(block.caption))
        words = self._block(in_words(block), "")
        return filled(
            '<figure class="im-figure">\n<div class="im-scroll" tabindex="0" role="region" '
            'aria-label="{}">\n{}\n</div>\n{}{}\n</figure>',
            self._label(self._told(block.title)),
            drawn(block, self._language),
            caption,
            self._fold(escape(self._told(IN_WORDS)), words),
        )

    def _fold(self, title: Markup, inner: Markup) -> Markup:
        return filled(
            '<details class="im-evidence">\n<summary>{}</summary>\n{}\n</details>', title, inner
        )


def _code(told: Cleaned) -> Markup:
    """A name; an e-mail address goes on in a new line behind @ or a dot alone, not at a hyphen."""
    if not is_address(told):
        return escape(told)
    whole = len(told) <= _UNBROKEN
    parts = [told] if whole else _IN_ADDRESSES.split(told)
    return joined(filled('<span class="im-address">{}</span>', part) for part in parts)


def _columns(widths: Iterable[int]) -> Markup:
    shares = tuple(widths)
    cols = joined(
        filled('<col class="im-w{}">', round(100 * share / sum(shares))) for share in shares
    )
    return filled("<colgroup>{}</colgroup>", cols)
