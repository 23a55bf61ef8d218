from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import LanguageGuess, detect_query_language
from corpus.language import detect_article_language

QUERIES = Path(__file__).parents[3] / "shared" / "eval" / "lid" / "short_queries.tsv"

SENTENCES = {
    "id": "Pemerintah mengumumkan langkah baru untuk mengurangi polusi udara di kota besar mulai hari Selasa.",
    "en": "The government announced new measures on Tuesday to reduce air pollution in the large cities.",
    "fr": "Le gouvernement a annoncé mardi de nouvelles mesures contre la pollution dans les grandes villes.",
    "de": "Die Regierung hat am Dienstag neue Maßnahmen gegen die Luftverschmutzung in den Städten angekündigt.",
    "es": "El gobierno anunció este martes nuevas medidas para reducir la contaminación en las grandes ciudades.",
    "nl": "De regering heeft dinsdag nieuwe maatregelen aangekondigd om de luchtvervuiling te verminderen.",
    "pt": "O governo anunciou nesta terça-feira novas medidas para reduzir a poluição nas grandes cidades.",
    "tl": "Inanunsyo ng pamahalaan noong Martes ang mga bagong hakbang upang mabawasan ang polusyon.",
    "vi": "Chính phủ hôm thứ Ba đã công bố các biện pháp mới nhằm giảm ô nhiễm ở các thành phố lớn.",
    "sw": "Serikali ilitangaza Jumanne hatua mpya za kupunguza uchafuzi wa hewa katika miji mikubwa.",
    "tr": "Hükümet salı günü büyük şehirlerde hava kirliliğini azaltmak için yeni önlemler açıkladı.",
    "ru": "Правительство объявило во вторник о новых мерах по сокращению загрязнения в крупных городах.",
    "ar": "أعلنت الحكومة يوم الثلاثاء عن إجراءات جديدة للحد من التلوث في المدن الكبرى.",
    "ja": "政府は火曜日、大都市の大気汚染を減らすための新しい対策を発表した。",
    "zh": "政府星期二宣布了减少大城市空气污染的新措施。",
    "ko": "정부는 화요일 대도시의 대기 오염을 줄이기 위한 새로운 대책을 발표했다.",
}


@pytest.mark.parametrize(("language", "sentence"), SENTENCES.items())
def test_an_article_in_a_third_language_is_taken_for_what_it_is(language: str, sentence: str) -> None:
    assert detect_article_language(sentence) == language
    assert detect_article_language(" ".join([sentence] * 40)) == language


def test_capitals_do_not_hide_the_language() -> None:
    assert detect_article_language(SENTENCES["id"].upper()) == "id"


@pytest.mark.parametrize("text", ["", "12 345", "\U0001f600 \U0001f600", "Ya.", "https://contoh.co.id/berita"])
def test_too_little_text_has_no_language(text: str) -> None:
    assert detect_article_language(text) == "und"


@pytest.mark.parametrize("text", ["", "   ", "\U0001f600", "2026", "??", "政府"])
def test_a_query_without_letters_to_judge_by_has_no_language(text: str) -> None:
    assert detect_query_language(text) == LanguageGuess("und", 0.0)


def test_names_do_not_decide_the_language_of_a_question() -> None:
    assert detect_query_language("Siapa pendiri General Electric Transportation?").language == "id"
    assert detect_query_language("Where is Sumber Makmur?").language == "en"


def test_a_clear_question_is_surer_than_a_word() -> None:
    clear = detect_query_language("Berapa jumlah bus listrik yang melayani jalur timur?")
    word = detect_query_language("bus")
    assert clear.confidence > 0.99
    assert word.confidence < clear.confidence


@given(st.text())
def test_any_text_gets_a_guess(text: str) -> None:
    guess = detect_query_language(text)
    assert guess.language in ("id", "en", "und")
    assert 0.0 <= guess.confidence <= 1.0
    assert detect_query_language(text) == guess


@given(st.text(max_size=200))
def test_any_article_gets_a_language(text: str) -> None:
    assert detect_article_language(text).isalpha()


def test_threads_agree() -> None:
    texts = list(SENTENCES.values()) * 5
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(detect_query_language, texts)) == [detect_query_language(text) for text in texts]


def test_short_queries_of_published_sets_are_told_apart_quickly() -> None:
    if not QUERIES.exists():
        pytest.skip("../shared/eval/lid/short_queries.tsv is absent")
    rows = [line.split("\t") for line in QUERIES.read_text(encoding="utf-8").splitlines()[1:]]
    detect_query_language("apa")
    right = 0
    seconds = []
    for language, _, text in rows:
        start = time.perf_counter()
        guess = detect_query_language(text)
        seconds.append(time.perf_counter() - start)
        right += guess.language == language
    assert right / len(rows) >= 0.997
    assert statistics.median(seconds) < 0.0002
