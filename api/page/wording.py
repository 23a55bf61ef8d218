"""The words of the interface, in Indonesian and English, and choosing between them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date

Interface = Literal["id", "en"]

_MONTHS: dict[Interface, str] = {
    "id": "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember",
    "en": "January February March April May June July August September October November December",
}

WORDS: dict[Interface, dict[str, str]] = {
    "id": {
        "tagline": "Bertanya pada berita, dalam bahasa Indonesia atau Inggris.",
        "lead": "Tulis pertanyaan dengan kalimat biasa. Cari membaca semua artikel di indeks ini dan "
        "menunjukkan bagian yang menjawabnya, dalam bahasa apa pun artikel itu ditulis.",
        "holdings": "{articles} artikel, {passages} bagian teks",
        "built": "indeks dibuat {date}",
        "question": "Pertanyaan",
        "placeholder": "Apa yang ingin Anda ketahui?",
        "search": "Cari",
        "try": "Coba tanyakan",
        "results_one": "1 artikel untuk",
        "results": "{count} artikel untuk",
        "passages_one": "1 bagian teks untuk",
        "passages": "{count} bagian teks untuk",
        "none": "Tidak ada yang cocok",
        "none_hint": "Coba kata lain, tanyakan lebih umum, atau longgarkan saringan.",
        "beyond": "Halaman ini melewati akhir hasil.",
        "no_answer": "Mungkin tidak ada artikel di sini yang menjawab pertanyaan ini. Ini yang paling dekat.",
        "clear_all": "Hapus semua saringan",
        "filters": "Saring hasil",
        "language": "Bahasa",
        "source": "Sumber",
        "dates": "Tanggal terbit",
        "from": "Dari",
        "to": "Sampai",
        "apply": "Terapkan",
        "all": "Semua",
        "relevance": "Relevansi",
        "relevance_hint": "Seberapa dekat bagian ini dengan pertanyaan, menurut model",
        "original": "Artikel asli",
        "undated": "tanpa tanggal",
        "previous": "Sebelumnya",
        "next": "Berikutnya",
        "pages": "Halaman hasil",
        "page_range": "{first}\u2013{last} dari {total}",
        "back": "Kembali ke hasil",
        "similar": "Artikel serupa",
        "similar_to": "Artikel serupa dengan",
        "more_similar": "+{count} serupa",
        "same_story": "Berita yang sama",
        "none_similar": "Tidak ada artikel lain yang lolos saringan.",
        "to_article": "Kembali ke artikel",
        "home": "Halaman depan",
        "by": "oleh",
        "error": "Ada yang tidak beres",
        "error_hint": "Bila ini terus terjadi, sampaikan kode permintaan ini kepada pengelola:",
        "missing": "Halaman ini tidak ada",
        "missing_hint": "Mungkin artikelnya sudah tidak ada di indeks, atau alamatnya salah tulis.",
        "invalid": "Ada yang perlu diperbaiki",
        "fault_date_order": "tanggal akhir mendahului tanggal awal",
        "fault_iso_date": "tanggal harus ditulis TTTT-BB-HH",
        "fault_no_such_day": "tanggal itu tidak ada",
        "fault_string_too_long": "terlalu panjang; paling banyak 10.000 karakter",
        "fault_reach": "halaman sejauh itu tidak tersedia; persempit pertanyaannya",
        "truncated": "Pertanyaan ini terlalu panjang untuk model; hanya bagian awalnya yang dibaca.",
        "other_interface": "English",
        "interface": "Bahasa antarmuka",
        "api": "API",
        "skip": "Langsung ke hasil",
        "lang_id": "Indonesia",
        "lang_en": "Inggris",
        "lang_ms": "Melayu",
        "lang_und": "Tak dikenal",
    },
    "en": {
        "tagline": "Ask the news a question, in Indonesian or English.",
        "lead": "Write a question the way you would say it. Cari reads every article in this index and shows "
        "the passages that answer it, whatever language the article is in.",
        "holdings": "{articles} articles, {passages} passages",
        "built": "index built {date}",
        "question": "Question",
        "placeholder": "What would you like to know?",
        "search": "Search",
        "try": "Try asking",
        "results_one": "1 article for",
        "results": "{count} articles for",
        "passages_one": "1 passage for",
        "passages": "{count} passages for",
        "none": "Nothing matches",
        "none_hint": "Try other words, ask more generally, or loosen the filters.",
        "beyond": "This page is past the end of the results.",
        "no_answer": "Perhaps nothing here answers this question. These come closest.",
        "clear_all": "Clear all filters",
        "filters": "Filter results",
        "language": "Language",
        "source": "Source",
        "dates": "Published",
        "from": "From",
        "to": "To",
        "apply": "Apply",
        "all": "All",
        "relevance": "Relevance",
        "relevance_hint": "How close this passage is to the question, as the model sees it",
        "original": "Original article",
        "undated": "undated",
        "previous": "Previous",
        "next": "Next",
        "pages": "Pages of results",
        "page_range": "{first}\u2013{last} of {total}",
        "back": "Back to results",
        "similar": "Similar articles",
        "similar_to": "Articles like",
        "more_similar": "+{count} similar",
        "same_story": "Same story",
        "none_similar": "No other article passes the filters.",
        "to_article": "Back to the article",
        "home": "Front page",
        "by": "by",
        "error": "Something went wrong",
        "error_hint": "If it keeps happening, give the operator this request id:",
        "missing": "This page does not exist",
        "missing_hint": "The article may have left the index, or the address has a typing error.",
        "invalid": "Something needs correcting",
        "fault_date_order": "the last day is before the first",
        "fault_iso_date": "a date must be written YYYY-MM-DD",
        "fault_no_such_day": "there is no such day",
        "fault_string_too_long": "too long; 10,000 characters at most",
        "fault_reach": "results are not available that far down; narrow the question",
        "truncated": "This question is too long for the model; only its beginning was read.",
        "other_interface": "Bahasa Indonesia",
        "interface": "Interface language",
        "api": "API",
        "skip": "Skip to results",
        "lang_id": "Indonesian",
        "lang_en": "English",
        "lang_ms": "Malay",
        "lang_und": "Unknown",
    },
}


def choose_interface(*, asked: str | None, remembered: str | None, accept_language: str) -> Interface:
    """Picks the interface language: what the address asks, else the cookie, else what the browser prefers."""
    for choice in (asked, remembered, *_preferred(accept_language)):
        if choice == "id":
            return "id"
        if choice == "en":
            return "en"
    return "en"


def long_date(day: date, *, interface: Interface) -> str:
    """8 Januari 2026, or 8 January 2026."""
    return f"{day.day} {_MONTHS[interface].split()[day.month - 1]} {day.year}"


def number(value: int, *, interface: Interface) -> str:
    """12.345 in Indonesian, 12,345 in English."""
    grouped = f"{value:,}"
    return grouped.replace(",", ".") if interface == "id" else grouped


def language_name(code: str, *, interface: Interface) -> str:
    """The name of an article's language, or its code where the interface has no name for it."""
    return WORDS[interface].get(f"lang_{code}", code)


def _preferred(accept_language: str) -> list[str]:
    weighted: list[tuple[float, str]] = []
    for part in accept_language.split(",")[:20]:
        tag, _, quality = part.partition(";q=")
        try:
            weight = float(quality or 1)
        except ValueError:
            continue
        if math.isfinite(weight) and weight > 0:
            weighted.append((weight, tag.strip().lower().partition("-")[0]))
    return [tag for _, tag in sorted(weighted, key=lambda pair: -pair[0])]
