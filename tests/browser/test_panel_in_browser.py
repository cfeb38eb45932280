"""The page of a form is changed in place: whoever types notices nothing of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.opening import ARGUMENTS
from playwright.sync_api import Page, expect, sync_playwright

from incamail_lib.runbook.forms import panel
from incamail_lib.runbook.forms.drawing import drawn
from incamail_lib.runbook.forms.shape import Button, Card, Html, Input, Note, Part, Row

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SCRIPT = (Path(panel.__file__).parent / "panel.js").read_text(encoding="utf-8")
# What anywidget gives to a widget: values that tell when they change, and a way to send.
MODEL = """
window.sent = [];
window.values = {content: "", seen: 0, lost: "lost"};
window.heard = {};
window.model = {
  get: (name) => window.values[name],
  send: (message) => window.sent.push(message),
  on: (name, f) => { window.heard[name] = f; },
};
window.shown = (content) => {
  window.values.content = content;
  (window.heard["change:content"] ?? (() => {}))();
};
"""
ANSWER = Input("answer", "Answer", "text")
NOTE = Input("note", "To do", "text")
OWNER, DUE = Input("owner", "Responsible"), Input("due", "Due", "date")
BESIDE = Row((OWNER, DUE))


def html(*parts: Part) -> str:
    return drawn(parts, "en", form="f", live=True)


def card(*parts: Part) -> str:
    return html(Card("4.4", "How long?", parts, is_open=True))


@pytest.fixture(scope="module")
def page(chromium: Path) -> Iterator[Page]:
    """An empty page with the script of all forms."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(chromium), args=[*ARGUMENTS])
        made = browser.new_page()
        made.set_content("<main></main>")
        made.evaluate(MODEL)
        run = SCRIPT.replace("export default { render };", "window.render = render;")
        made.add_script_tag(content=run, type="module")
        made.wait_for_function("() => window.render")
        yield made
        browser.close()


def opened(page: Page, content: str) -> None:
    page.evaluate(
        """(content) => {
          document.querySelector("main").replaceChildren();
          window.sent.length = 0;
          window.values.content = content;
          window.render({ model: window.model, el: document.querySelector("main") });
        }""",
        content,
    )


CHANGES = {
    "a block is put before it": card(Html("<p>Measured.</p>"), ANSWER, NOTE, BESIDE),
    "a warning is put before it": card(Note("Not so.", warns=True), ANSWER, NOTE, BESIDE),
    "rows are put before it": card(Row((Button("a", "A"),)), Row((ANSWER,)), NOTE, BESIDE),
    "what was before it goes": card(NOTE, BESIDE),
    "a field is put before it": card(ANSWER, Input("reason", "Reason", "text"), NOTE, BESIDE),
    "its place is another": card(NOTE, ANSWER, BESIDE),
    "a card is put before its own": html(
        Card("4.3", "Which?", (Html("<p>x</p>"),)), Card("4.4", "How?", (ANSWER, NOTE, BESIDE))
    ),
    "it has a value by somebody else": card(
        ANSWER, Input("note", "To do", "text", "theirs"), Row((Input("owner", "", value="x"), DUE))
    ),
}


@pytest.mark.parametrize("field", ["note", "owner"])
@pytest.mark.parametrize("change", CHANGES)
def test_typing_survives_every_change_of_the_page(page: Page, change: str, field: str) -> None:
    """The first half before it, the second after it, and all is told when the field is left."""
    opened(page, card(ANSWER, NOTE, BESIDE))
    own = page.locator(f"[name={field}]")
    own.focus()
    page.keyboard.type("Vor")
    page.evaluate("(content) => window.shown(content)", CHANGES[change])
    expect(own).to_be_focused()
    page.keyboard.type("lage")
    page.keyboard.press("Tab")
    [sent] = page.evaluate("() => window.sent")
    assert (sent["field"], sent["value"]) == (field, "Vorlage")


def test_the_page_becomes_what_the_form_says(page: Page) -> None:
    """Whatever stood there before: the changed page holds what a page drawn anew holds."""
    outline = """() => [...document.querySelectorAll("main .im-form *")].map((e) => {
      const text = e.childElementCount ? "" : e.textContent.trim();
      return `${e.nodeName} ${e.id} ${e.value ?? text}`;
    })"""
    for first in CHANGES.values():
        for second in CHANGES.values():
            opened(page, second)
            wanted = page.evaluate(outline)
            opened(page, first)
            page.evaluate("(content) => window.shown(content)", second)
            assert page.evaluate(outline) == wanted
