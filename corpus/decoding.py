"""Bytes to text, for the encodings that news archives really hold: UTF-8, UTF-16 and cp1252.

No statistical guesser is used: strict UTF-8 is its own proof, UTF-16 shows itself by a mark or by its zero
bytes, and Indonesian and English text that is neither is cp1252 in practice. A guesser's wrong guess would be
silent; text that fits none of the three is refused, and says so.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from .errors import BadRecordError

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE: Final = 65_536
_CONTROLS: Final = bytes({*range(0x20), 0x7F} - {*range(0x09, 0x0E), 0x1B})
_HIGH: Final = re.compile(rb"[\x80-\xff]")
_MAX_CONTROL_SHARE: Final = 0.02
_MAX_HIGH_SHARE: Final = 0.25


def wide_encoding(start: bytes) -> str | None:
    """The codec's name when these first bytes are UTF-16 or UTF-32, else None."""
    for mark, codec in _MARKS[1:]:
        if start.startswith(mark):
            return codec
    if b"\0" not in start:
        return None
    # Latin letters leave every second byte zero; binary data has zeros on both sides.
    half = len(start) // 2
    if half < 2:  # noqa: PLR2004 - two characters are the least that can show a pattern
        return None
    even, odd = start[0::2].count(0), start[1::2].count(0)
    if odd > 0.4 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.4 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None


def decode(raw: bytes) -> str:
    """The text in `raw`, without a byte order mark.

    Raises:
        BadRecordError: the bytes are not text, or not in an encoding known here.
    """
    if raw.startswith(codecs.BOM_UTF8):
        return raw.decode("utf-8-sig", "replace")
    wide = wide_encoding(raw[:_SAMPLE])
    if wide is not None:
        return raw.decode(wide, "replace").removeprefix("\ufeff")
    sample = raw[:_SAMPLE]
    if len(sample) - len(sample.translate(None, _CONTROLS)) > _MAX_CONTROL_SHARE * len(sample):
        raise BadRecordError("not text (binary data); if it is an article, save it as UTF-8 text")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    # One damaged character must not turn every other one into mojibake: if most non-ASCII characters
    # are well-formed UTF-8 (which cp1252 text almost never is by chance), the text is UTF-8.
    patched = raw.decode("utf-8", "replace")
    damaged = patched.count("\ufffd")
    if sum(character > "\x7f" for character in patched) - damaged > damaged:
        return patched
    if len(_HIGH.findall(sample)) > _MAX_HIGH_SHARE * len(sample):
        raise BadRecordError("neither UTF-8, UTF-16 nor cp1252; convert the file to UTF-8")
    try:
        return raw.decode("cp1252")
    except UnicodeDecodeError as error:
        raise BadRecordError("neither UTF-8, UTF-16 nor cp1252; convert the file to UTF-8") from error
