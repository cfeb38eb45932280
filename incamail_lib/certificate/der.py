"""The few steps of DER that the library does not offer: a certificate taken apart and put together.

The library reads all extensions or none. Where it refuses one of them, the certificate is built
again with the single extension that is asked for (RFC 5280 §4.1), so that one odd extension costs
one field. Signatures no longer verify on what is built here, and are never looked at.
"""

from __future__ import annotations

SEQUENCE = 0x30
_VERSION = 0xA0  # [0] EXPLICIT Version
_EXTENSIONS = 0xA3  # [3] EXPLICIT Extensions, RFC 5280 §4.1


def first(data: bytes) -> bytes:
    """The first element of `data`, with its header. Errors: ValueError."""
    return data[: _end(data)]


def elements(data: bytes) -> list[bytes]:
    """The elements that stand one behind the other in `data`. Errors: ValueError."""
    found = []
    while data:
        end = _end(data)
        found.append(data[:end])
        data = data[end:]
    return found


def content(element: bytes) -> bytes:
    """What stands in an element, without its header. Errors: ValueError."""
    start, length = _header(element)
    return element[start : start + length]


def wrapped(tag: int, inner: bytes) -> bytes:
    """An element of this tag around `inner`."""
    size = len(inner)
    if size < 0x80:
        return bytes((tag, size)) + inner
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + inner


def extensions(certificate: bytes) -> list[bytes]:
    """The extensions of a DER certificate as they stand. Errors: ValueError."""
    body = elements(content(elements(content(certificate))[0]))
    held = [element for element in body if element[0] == _EXTENSIONS]
    return elements(content(content(held[0]))) if held else []


def names(certificate: bytes) -> dict[str, bytes]:
    """Issuer and subject of a DER certificate as they stand. Errors: ValueError."""
    body = elements(content(elements(content(certificate))[0]))
    fields = body[1:] if body[0][0] == _VERSION else body
    return {"issuer": fields[2], "subject": fields[4]}


def with_extensions(certificate: bytes, chosen: list[bytes]) -> bytes:
    """The same certificate with these extensions in place of its own. Errors: ValueError."""
    body, *signature = elements(content(certificate))
    kept = [element for element in elements(content(body)) if element[0] != _EXTENSIONS]
    if chosen:
        kept.append(wrapped(_EXTENSIONS, wrapped(SEQUENCE, b"".join(chosen))))
    whole = wrapped(SEQUENCE, b"".join(kept))
    return wrapped(SEQUENCE, b"".join((whole, *signature)))


def _end(data: bytes) -> int:
    start, length = _header(data)
    if start + length > len(data):
        raise ValueError("an element is longer than its data")
    return start + length


def _header(data: bytes) -> tuple[int, int]:
    """Where the content starts, and how long it is (X.690 §8.1; definite lengths only)."""
    if len(data) < 2 or data[0] & 0x1F == 0x1F or data[1] == 0x80:
        raise ValueError("not an element of DER")
    if data[1] < 0x80:
        return 2, data[1]
    size = data[1] & 0x7F
    return 2 + size, int.from_bytes(data[2 : 2 + size])


def identifier(dotted: str) -> bytes:
    """An object identifier as an element (X.690 §8.19), e.g. "2.5.29.17"."""
    top, second, *others = (int(part) for part in dotted.split("."))
    return wrapped(0x06, b"".join(_base_128(number) for number in (top * 40 + second, *others)))


def _base_128(number: int) -> bytes:
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(0x80 | number & 0x7F)
    return bytes(reversed(digits))
