"""Plain data -> the piece of YAML that is put into a dossier."""

from __future__ import annotations

import re
from typing import Any

import yaml

INDENT = "  "
_STR = "tag:yaml.org,2002:str"
_NO_FOLDING = 10**9
_OTHER_BREAKS = re.compile("[\r\x85\u2028\u2029]")


class _Dumper(yaml.SafeDumper):
    """Quotes what another YAML reader would take for something else than what is meant."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # PyYAML's own way

    def represent_text(self, text: str) -> yaml.ScalarNode:
        # Words of several lines are read as a block; on one line they need escapes, and so do
        # the line ends that YAML would read as spaces.
        in_quotes = self.default_flow_style or _OTHER_BREAKS.search(text) or _is_open(text)
        breaks = "\n" in text or _OTHER_BREAKS.search(text)
        style = None if not breaks else '"' if in_quotes else "|"
        return self.represent_scalar(_STR, text, style=style)


_Dumper.add_representer(str, _Dumper.represent_text)
# Numbers, dates, true and false are meant as such and stay bare.
_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]
)
_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:bool",
    re.compile(r"^(?:y|n|yes|no|on|off)$", re.IGNORECASE),
    list("yYnNoO"),
)


def _dumped(value: Any, in_flow: bool) -> str:
    text = yaml.dump(
        value,
        Dumper=_Dumper,
        default_flow_style=in_flow,
        sort_keys=False,
        allow_unicode=True,
        width=_NO_FOLDING,
    )
    return str(text).rstrip("\n") if in_flow else str(text).removesuffix("\n")


def _is_open(text: str) -> bool:
    """Whether it ends in a blank line: behind such a block PyYAML ends the whole document."""
    return text == "\n" or text.endswith("\n\n")


def _is_one_line(text: str) -> bool:
    return "\n" not in text and not _OTHER_BREAKS.search(text)


def on_one_line(value: Any) -> str:
    """Any value on one line, e.g. `{role: post, name: Anna}`."""
    return _dumped([value], True)[1:-1]


def scalar(value: str | None, *, old_style: str | None, as_block: bool) -> list[str]:
    """A single value as lines, quoted as before where it was; several lines only `as_block`."""
    if value is not None and old_style in ("'", '"') and _is_one_line(value):
        node = yaml.ScalarNode(_STR, value, style=old_style)
        text = str(yaml.serialize(node, Dumper=_Dumper, allow_unicode=True, width=_NO_FOLDING))
        return [text.rstrip("\n")]
    if as_block:
        return _dumped({"k": value}, False).removeprefix("k: ").split("\n")
    return [on_one_line(value)]


def fields(values: dict[str, Any]) -> list[str]:
    """Fields as lines of a block."""
    return [
        line for key, value in values.items() for line in _dumped({key: value}, False).split("\n")
    ]


def entries(values: list[Any]) -> list[str]:
    """Entries of a list as lines of a block."""
    return _dumped(values, False).split("\n")
