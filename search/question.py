"""What of a typed question is searched for."""

from __future__ import annotations

import re
import unicodedata

# Control characters and halves of surrogate pairs part words; format characters (soft hyphens, zero-width spaces,
# marks of direction, ...) stand inside words and are never seen.
_PARTING = {"Cc", "Cs"}
_INVISIBLE = "Cf"
_WORD = re.compile(r"[^\W\d_]+")


def readable(text: str) -> str:
    r"""The question as words to search for: composed (NFC), visible characters only, no blanks around it.

    A question of several words IN CAPITALS is read in small letters: a model that tells the two apart finds less by
    capitals. A single word in capitals may be an abbreviation, and stays.

    Worked values: "SIAPA PRESIDEN KAZAKHSTAN?" becomes "siapa presiden kazakhstan?", "bat\u200bik" becomes "batik",
    "UNESCO" stays, "\u200b" becomes "".
    """
    shown = unicodedata.normalize("NFC", "".join(map(_shown, text))).strip()
    if shown.isupper() and len(_WORD.findall(shown)) > 1:
        return shown.lower()
    return shown


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    if category in _PARTING:
        return " "
    return "" if category == _INVISIBLE else character
