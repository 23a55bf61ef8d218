"""One worked answer of each kind, for the description. They fit together: the same article throughout."""

from __future__ import annotations

from typing import Any

_REQUEST_ID = "6f1c0d4f9f1e4f0c8d0e4a8f6f0f3f52"
_INDEX = {"generation": "20261122T101500Z-3f9a", "model": "cari-e5-small", "built_at": "2026-11-22T10:15:00Z"}
_LEAD = "The harbour has been shut since Monday. A coal barge ran aground across its mouth at low tide."
_REST = "Pilots expect to refloat it on Friday."
_ARTICLE = {
    "id": "2026/harbour-shut",
    "title": "Barge blocks the harbour mouth",
    "url": "https://news.example/2026/harbour-shut",
    "source": "The Estuary Post",
    "author": "R. Wibowo",
    "published": "2026-11-18",
    "language": "en",
}
_PASSAGES = [
    {"id": "2026/harbour-shut#0", "text": _LEAD, "start": 0, "end": len(_LEAD)},
    {"id": "2026/harbour-shut#1", "text": _REST, "start": len(_LEAD) + 2, "end": len(_LEAD) + 2 + len(_REST)},
]
_FACETS = {"language": {"en": 1}, "source": {"The Estuary Post": 1}, "month": {"2026-11": 1}}
_HIT = {
    "rank": 1,
    "score": 0.93,
    "scores": {"dense": 0.88, "lexical": 0.51, "late": 0.79},
    "passage": _PASSAGES[0],
    "highlights": [
        {"start": _LEAD.index("A coal"), "end": len(_LEAD), "kind": "sentence"},
        {"start": _LEAD.index("harbour"), "end": _LEAD.index("harbour") + len("harbour"), "kind": "term"},
    ],
    "article": _ARTICLE,
    "similar_count": 0,
}

SEARCH: dict[str, Any] = {
    "request_id": _REQUEST_ID,
    "took_ms": 18.4,
    "index": _INDEX,
    "query": {"text": "why is the harbour closed?", "language": "en", "language_confidence": 0.99, "truncated": False},
    "total": 1,
    "offset": 0,
    "limit": 10,
    "answerable": True,
    "degraded": None,
    "hits": [_HIT],
    "facets": _FACETS,
}

ARTICLE: dict[str, Any] = {
    "request_id": _REQUEST_ID,
    "index": _INDEX,
    "article": _ARTICLE | {"text": f"{_LEAD}\n\n{_REST}"},
    "passages": _PASSAGES,
}

SIMILAR: dict[str, Any] = {
    "request_id": _REQUEST_ID,
    "took_ms": 6.2,
    "index": _INDEX,
    "article": _ARTICLE
    | {
        "id": "2026/kapal-kandas",
        "title": "Tongkang menutup muara pelabuhan",
        "url": "https://berita.example/2026/kapal-kandas",
        "source": "Harian Muara",
        "language": "id",
    },
    "total": 1,
    "same_story": 0,
    "offset": 0,
    "limit": 10,
    "hits": [_HIT | {"highlights": []}],
    "facets": _FACETS,
}

INDEX: dict[str, Any] = _INDEX | {
    "articles": 24,
    "passages": 61,
    "languages": {"id": 12, "en": 12},
    "reload_error": None,
}

BATCH: dict[str, Any] = {
    "request_id": _REQUEST_ID,
    "took_ms": 21.7,
    "index": _INDEX,
    "results": [
        {"status": 200, "answer": SEARCH},
        {
            "status": 422,
            "problem": {
                "type": "/problems/invalid-parameter",
                "title": "A parameter is not valid",
                "status": 422,
                "detail": "1 parameter is not valid; see errors",
                "instance": "/v1/search/batch#/searches/1",
                "request_id": _REQUEST_ID,
                "errors": [{"field": "limt", "reason": "unknown parameter; did you mean limit?"}],
            },
        },
    ],
}

OF_MODELS = {
    "ArticleAnswer": ARTICLE,
    "BatchAnswer": BATCH,
    "IndexAnswer": INDEX,
    "SearchAnswer": SEARCH,
    "SimilarAnswer": SIMILAR,
}
"""Which model of the description each is an example of."""
