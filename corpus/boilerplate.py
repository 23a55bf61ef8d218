"""Paragraphs that news sites put between an article's own: a table of small rules.

Each rule describes a whole paragraph, so that a sentence which merely contains such words is never touched.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple


class Rule(NamedTuple):
    """A kind of boilerplate; `pattern` matches the whole paragraph."""

    name: str
    pattern: re.Pattern[str]


def _rule(name: str, *patterns: str) -> Rule:
    return Rule(name, re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE))


# At most one sentence: where a full stop is followed by a new sentence, the paragraph says more than a link does.
_HEADLINE: Final = r"""(?:(?![.!?]["'”’)]?\s+["'“‘]?(?-i:[A-Z])).){0,250}"""
# A headline has no full stop: with one, a sentence may have been glued to the link.
_NO_STOP: Final = r"(?<![.])"
_LABEL_ID: Final = r"(?:baca|simak|lihat|tonton|saksikan|dengarkan)"

RULES: Final = (
    _rule(
        "link",
        rf"{_LABEL_ID}(?:\s+juga|\s+selengkapnya)?(?:\s+video)?\s*:{_HEADLINE}{_NO_STOP}",
        rf"""{_LABEL_ID}\s+juga(?:\s+video)?\s*["'“‘]{_HEADLINE}{_NO_STOP}""",
        rf"{_LABEL_ID}\s+(?:juga|selengkapnya)\b{_HEADLINE}(?<![.!?])",
        r"(?:baca|simak|lihat)\s+selengkapnya(?:\s+di(?:\s+halaman\s+(?:selanjutnya|berikutnya)|\s*sini))?\s*[.:]?",
        r"(?:baca|read)\s+(?:(?:berita|artikel)(?:nya)?(?:\s+ini)?\s+dalam\s*bahasa|this\s+(?:story|article)\s+in)\b[^.!?]{0,40}\.?",
        rf"saksikan\s+live\b{_HEADLINE}:",
        rf"(?:(?:read|see|watch)\s+(?:also|more|next)|also\s+read|related(?:\s+(?:article|story|coverage))?|more)"
        rf"\s*:{_HEADLINE}{_NO_STOP}",
        rf"watch(?:\s+(?:now|live|video))?\s*:{_HEADLINE}{_NO_STOP}",
        r"(?:read|see)\s+(?:also|more|next)(?:\s+here)?\s*\.?",
        r"(?:click|tap|klik)\s+(?:here|di\s*sini)\b[^.!?]{0,80}\.?",
    ),
    _rule("embed", r"\[(?:gambas|video|embed|foto|infografis)\s*:[^\]]{0,200}\]"),
    _rule(
        "advertisement",
        r"(?:(?:advertisements?|iklan|scroll to (?:continue|resume)(?: with content| reading)?"
        r"|scroll (?:untuk|ke bawah untuk) (?:melanjutkan|lanjut)(?: membaca)?"
        r"|(?:article|story) continues (?:after|below)(?: (?:this )?(?:ad|advertisement))?|continue reading(?: below)?"
        r"|video ad feedback)[\s:.]*)+",
    ),
    _rule(
        "promotion",
        # "X also offers articles. x.co.id": an offer of content that ends in the outlet's bare address
        r"[^.!?]{0,80}\b(?:menyajikan|menyediakan|menghadirkan)\b[^.!?]{0,100}\b(?:artikel|berita|informasi|konten)\b"
        r"[^.!?]{0,100}[.!]?\s+(?:www\.)?[\w-]+\.(?:co\.id|com|id|net|org)\s*\.?",
        r"(?:ikuti|dapatkan|cek|simak)\b[^.!?]{0,160}\b(?:google news|whatsapp channel|saluran whatsapp|kanal whatsapp"
        r"|channel telegram|telegram)\b[^.!?]{0,120}[.!]?",
        r"follow\s+[^.!?:]{2,80}\bon\s+(?:x|twitter|instagram|facebook|threads|bluesky)\b[^!?]{0,120}",
        r"need a (?:news )?break\?[^.!?]{0,120}[.!]",
        r"(?:sign[ -]?up (?:for|here|to)|subscribe to)\b[^.!?]{0,160}\bnewsletters?\b[^.!?]{0,80}[.!]?",
        r"support local journalism\b[^!?]{0,120}",
    ),
    _rule("address", r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", r"(?:https?://|www\.)\S+"),
    _rule(
        "copyright",
        r"(?:copyright|hak cipta|©|\(c\))\s*(?:©|\(c\))?[^.!?]{0,120}(?:\d{4}|reserved|dilindungi)[^.!?]{0,120}\.?"
        r"(?:\s*all rights reserved\.?)?",
        r"all rights reserved\.?",
        r"(?:this material|these materials)\s+may not be (?:published|reproduced)[^!?]{0,200}",
        r"dilarang keras (?:mengambil|menyalin|mengutip)[^!?]{0,300}",
    ),
    _rule(
        "page",
        r"(?:halaman|page)\s+\d+\s*(?:dari|of|/)\s*\d+",
        r"(?:halaman|page)?\s*(?:selanjutnya|berikutnya|next page|sebelumnya)",
        r"(?:show|see|tampilkan|lihat) (?:all|semua)",
    ),
    _rule("sharing", r"(?:share|bagikan|share this(?: article| story)?|bagikan (?:artikel|berita)(?: ini)?)\s*:?"),
    _rule("separator", r"[\W_]{1,80}"),
)

# "... kata dia. Baca juga: Judul lain": a link at the end of a real paragraph, after a full sentence.
INLINE_LINK: Final = re.compile(
    rf"""(?<=[.!?"”’)])\s*(?:{_LABEL_ID}\s+(?:juga|selengkapnya)|also\s+read|read\s+(?:also|more))"""
    rf"""\s*:{_HEADLINE}{_NO_STOP}$"""
    rf"""|\s*[(\[]\s*(?:{_LABEL_ID}\s+juga|also\s+read|read\s+(?:also|more))\b[^()\[\]]{{0,200}}[)\]]"""
    r"""|\s*\[gambas\s*:[^\]]{0,200}\]""",
    re.IGNORECASE,
)

INLINE_WORDS: Final = ("juga", "selengkapnya", "read", "gambas")
"""INLINE_LINK matches nowhere without one of these."""

# detik's "(abc/xyz)": initials of reporter and editor, too short to be anyone's name.
INITIALS: Final = re.compile(r"\s*[(\[][a-z]{2,5}/[a-z]{2,5}(?:/[a-z]{2,5})?[)\]]$")

TAIL: Final = re.compile(
    r"(?:konten(?: yang)? terkait|(?:artikel|berita) (?:terkait|lainnya|populer|terpopuler)|terpopuler"
    r"|rekomendasi(?: untuk anda)?|related (?:content|articles?|stories|news|topics)|you (?:may|might) also like"
    r"|recommended(?: for you)?|most popular"
    r"|more (?:on this (?:story|topic)|stories|from [\w ]{2,30})|more like this|trending(?: now)?)\s*:?",
    re.IGNORECASE,
)

KICKER: Final = re.compile(
    r"(?:nasional|internasional|regional|daerah|ekonomi|bisnis|keuangan|politik|hukum|kebijakan|olahraga"
    r"|teknologi|budaya|hiburan|kesehatan|pendidikan|gaya hidup|opini|kolom|dunia|metro|national|world"
    r"|business|economy|politics|policy|sports?"
    r"|technology|tech|health|science|culture|entertainment|opinion|analysis|breaking news|news)",
    re.IGNORECASE,
)
BREADCRUMB: Final = re.compile(r"(?:home|beranda)(?:\s*[>»/|]\s*[^>»/|]{1,60}){1,6}", re.IGNORECASE)
