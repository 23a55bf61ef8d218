"""The dateline before an article's first sentence: "JAKARTA, KOMPAS.com -", "LONDON, Jan 5 (Reuters) -"."""

from __future__ import annotations

import re
from typing import Final

from .bylines import Found
from .dates import DATE, WEEKDAY, date_of

# A hyphen stands inside a word and never between two, or "A-A-A-A-..." would be tried in every way to divide it.
_WORD: Final = r"[A-Z][\w.'’]*+(?:-[\w.'’]++)*"
_PLACE: Final = rf"{_WORD}(?:[ /]{_WORD}){{0,3}}(?:,\s*{_WORD}(?:\s{_WORD})?)?"
_SITE: Final = r"[A-Za-z][\w-]*(?:\.[A-Za-z]+)?\.(?i:com|co\.id|co|id|net|org|tv)"
_NAMED: Final = (
    r"(?:ANTARA(?: News)?|CNN(?: ?Business| Indonesia| Politics)?|CNBC(?: Indonesia)?"
    r"|BBC(?: News)?(?: Indonesia)?"
    r"|Reuters|REUTERS|AP|Associated Press|The Associated Press|AFP|UPI|dpa|DPA|Xinhua|Bloomberg"
    r"|Kyodo(?: News)?|Yonhap|Bernama|Anadolu|VOA(?: Indonesia)?|IDN Times|USA TODAY|VIVA|Tempo|TEMPO|Kompas|KOMPAS"
    r"|RRI|SINDOnews|Okezone|iNews|tvOne|Beritasatu)"
)
_MONTH_DAY: Final = (
    r"(?:(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)[a-z]*\.?\s\d{1,2}|\d{1,2}\s[A-Z][a-z]{2,8})"
)
_DASH: Final = r"\s*(?:--|[-\u2013\u2014\u2212])\s*"
# With a space on one side at least: "Jakarta-Bandung" and "CNN-News18" are names.
_SPACED_DASH: Final = r"(?:\s+(?:--|[-\u2013\u2014\u2212])\s*|(?:--|[-\u2013\u2014\u2212])(?:\s+|$))"
# Whatever follows begins a sentence: "Trump - who said so - left" keeps its subject.
_BODY: Final = r"""(?=["'“‘(\[]*[A-Z0-9]|$)"""

# Cities that open Indonesian datelines in plain capitals and lower case: "Medan - Gubernur ...". A list, because
# any capitalised word may stand before a dash; all-capital names need none.
_CITIES: Final = (
    r"(?:Ambon|Balikpapan|Banda Aceh|Bandar Lampung|Bandung|Banjarmasin|Bantul|Banyuwangi|Batam|Bekasi"
    r"|Bengkulu|Blitar|Bogor|Boyolali|Brebes|Ciamis|Cianjur|Cilacap|Cilegon|Cimahi|Cirebon|Denpasar|Depok"
    r"|Garut|Gorontalo|Gresik|Gunungkidul|Indramayu|Jakarta(?: (?:Barat|Pusat|Selatan|Timur|Utara))?|Jambi"
    r"|Jayapura|Jember|Jombang|Karawang|Kebumen|Kediri|Kendari|Klaten|Kudus|Kulon Progo|Kupang|Lamongan"
    r"|Lampung|Lumajang|Madiun|Magelang|Makassar|Malang|Mamuju|Manado|Manokwari|Mataram|Medan|Mojokerto"
    r"|Padang|Palangka Raya|Palembang|Palu|Pangkalpinang|Pasuruan|Pekalongan|Pekanbaru|Ponorogo|Pontianak"
    r"|Probolinggo|Purwakarta|Purwokerto|Samarinda|Semarang|Serang|Sidoarjo|Sleman|Solo|Sragen|Subang"
    r"|Sukabumi|Sukoharjo|Sumedang|Surabaya|Surakarta|Tangerang(?: Selatan)?|Tanjungpinang|Tasikmalaya"
    r"|Tegal|Ternate|Tuban|Tulungagung|Wonogiri|Yogyakarta)"
)
_CAPITALS: Final = r"(?:[A-Z]{6,}|[A-Z]{2,}(?: [A-Z]{2,}){1,2})"

_DATELINES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?:{_PLACE},\s*)?(?P<source>{_SITE})(?:,\s*{_PLACE})?(?:\s*\(?(?i:{DATE})\)?)?{_DASH}{_BODY}",
        rf"(?:{_PLACE},?\s*)?(?:{_MONTH_DAY},?\s*)?\((?P<source>{_NAMED})\){_DASH}{_BODY}",
        # CNN alone goes without a dash; anywhere else "(AP) Editor ..." may be part of the sentence.
        rf"(?:{_PLACE}\s*)?\((?P<source>CNN(?: Business)?)\)\s*{_BODY}",
        rf"{_PLACE},\s*(?P<source>{_NAMED}){_DASH}{_BODY}",
        rf"(?:{_PLACE}\s+)?(?P<source>{_NAMED}){_SPACED_DASH}{_BODY}",
        rf"{_PLACE}(?P<dated>,\s*(?i:(?:{WEEKDAY})?(?:{DATE}))){_DASH}{_BODY}",
        rf"{_PLACE},?\s*(?P<dated>\((?i:(?:{WEEKDAY})?(?:{DATE}))\)){_DASH}{_BODY}",
        rf"{_PLACE},\s*{_MONTH_DAY}{_DASH}{_BODY}",
        rf"(?:{_CITIES}|{_CAPITALS})(?:, {_PLACE})?{_SPACED_DASH}(?!{_CITIES}\b){_BODY}",
        # On a line of its own, whatever the place looks like: "Moscow and Kyiv, Ukraine CNN —".
        rf"(?:[A-Z][^.!?]{{0,90}}\s)?(?P<source>{_NAMED})\s*[\u2013\u2014]$",
        rf"(?P<source>{_NAMED})$",
    )
)


def split_dateline(paragraph: str) -> tuple[Found, str]:
    """What the dateline says, and the paragraph without it (perhaps empty: some sites set it on its own line)."""
    for pattern in _DATELINES:
        if match := pattern.match(paragraph):
            groups = match.groupdict()
            published = date_of(match) if groups.get("dated") else None
            if groups.get("dated") and not published:  # the day of birth of Isaac Newton, say
                continue
            return Found(source=groups.get("source"), published=published), paragraph[match.end() :]
    return Found(), paragraph
