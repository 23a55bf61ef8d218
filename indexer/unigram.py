"""Unigram tokenizers with their vocabulary in mapped files. The only file that knows marisa-trie.

The `tokenizers` library keeps a Unigram vocabulary in hash maps, 280 MB for 250,000 pieces, built anew by every
process. Here it is a trie and two arrays, 4 MB that are mapped and not read, and the library is left what is small:
normalising a text and cutting it into words. Ids and spans are the library's own, to the last tie.
"""

from __future__ import annotations

import json
import random
import re
import shutil
from functools import lru_cache
from math import inf
from typing import TYPE_CHECKING, Any

import marisa_trie
import numpy as np
from tokenizers import PreTokenizedString, Token, Tokenizer

from .errors import ModelError
from .tokenizer import Pieces, PieceTokenizer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_REST = "rest.json"
_FACTS = "facts.json"
_TRIE = "pieces.marisa"
_IDS = "ids.npy"
_SCORES = "scores.npy"

# What an unknown character costs below the rarest piece, in the library as in SentencePiece.
_UNKNOWN_PENALTY = 10.0
# Words remembered, and the longest of them in code points: a few megabytes, and most words of any text.
_REMEMBERED = 16_384
_LONGEST_REMEMBERED = 32
_CHECKED_TEXTS = 500
_NOTHING = r"(?!)"
# White_Space of Unicode, which is what an added token takes along; Python's own isspace knows four more.
_SPACE = frozenset("\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") | {chr(0x2000 + n) for n in range(11)}


class UnigramTokenizer(PieceTokenizer):
    """Reads what `write_unigram` wrote. Thread-safe."""

    def __init__(self, folder: Path, *, max_tokens: int) -> None:
        super().__init__(folder / _REST, max_tokens=max_tokens)
        try:
            facts = json.loads((folder / _FACTS).read_bytes())
            self._trie = marisa_trie.Trie()
            self._trie.mmap(str(folder / _TRIE))
            ids, scores = (np.load(folder / name, mmap_mode="r", allow_pickle=False) for name in (_IDS, _SCORES))
        except (OSError, RuntimeError, ValueError) as error:
            raise ModelError(f"{folder} is not a vocabulary ({error}); prepare the model again") from error
        # Memory views give plain numbers, several times faster than arrays give them one by one.
        self._ids, self._scores = memoryview(ids), memoryview(scores)
        self._unknown_score = float(scores.min()) - _UNKNOWN_PENALTY
        self._unknown_id: int = facts["unknown_id"]
        self._longest: int = facts["longest_piece"]
        self._added: list[dict[str, Any]] = facts["added_tokens"]
        self._at_added = _any_of(token["content"] for token in self._added)
        self._remembered = lru_cache(_REMEMBERED)(self._divide)

    def pieces(self, texts: Sequence[str]) -> list[Pieces]:
        """What each text is to the model; no special tokens, nothing cut."""
        return [self._pieces(text) for text in texts]

    def _pieces(self, text: str) -> Pieces:
        """Of one text. An added token, such as `</s>`, is one piece wherever it stands, and divides the rest."""
        parts: list[Pieces] = []
        at = 0
        while found := self._at_added.search(text, at):
            added = self._added[(found.lastindex or 1) - 1]
            start, end = _with_spaces(text, *found.span(), added=added, after=at)
            parts.append(self._plain_pieces(text, at, start))
            parts.append(Pieces(np.array([added["id"]], np.int32), np.array([[start, end]], np.int32)))
            at = end
        rest = self._plain_pieces(text, at, len(text))
        if not parts:
            return rest
        parts.append(rest)
        return Pieces(np.concatenate([part.ids for part in parts]), np.concatenate([part.spans for part in parts]))

    def _plain_pieces(self, text: str, start: int, end: int) -> Pieces:
        part = PreTokenizedString(text[start:end])
        if self._library.normalizer is not None:
            part.normalize(self._library.normalizer.normalize)
        self._library.pre_tokenizer.pre_tokenize(part)
        part.tokenize(self._tokens)
        pieces = Pieces.of(part.to_encoding())
        return Pieces(pieces.ids, pieces.spans + np.int32(start))

    def _tokens(self, word: str) -> list[Token]:
        return self._remembered(word) if len(word) <= _LONGEST_REMEMBERED else self._divide(word)

    def _divide(self, word: str) -> list[Token]:
        """The division of a word into pieces with the highest sum of scores (Viterbi's algorithm; Kudo 2018).

        Subtle: sums are of double precision, from left to right, and of equal sums the first found stays, for so
        the library does it. The divisions of "aaa" into "aa" and "a" differ in nothing else.
        """
        best = [0.0, *[-inf] * len(word)]
        starts = [0] * len(best)
        ids = [0] * len(best)
        for start in range(len(word)):
            here = best[start]
            known = False
            for piece, key in self._trie.iter_prefixes_with_ids(word[start : start + self._longest]):
                end = start + len(piece)
                known = known or end == start + 1
                score = self._scores[key] + here
                if score > best[end]:
                    best[end], starts[end], ids[end] = score, start, self._ids[key]
            # A character that is no piece is an unknown one, also where a longer piece begins with it.
            if not known and self._unknown_score + here > best[start + 1]:
                best[start + 1], starts[start + 1], ids[start + 1] = self._unknown_score + here, start, self._unknown_id
        return self._joined(word, starts=starts, ids=ids)

    def _joined(self, word: str, *, starts: list[int], ids: list[int]) -> list[Token]:
        """The pieces on the best way through a word; neighbours that are unknown are one."""
        ends = []
        end = len(word)
        while end:
            ends.append(end)
            end = starts[end]
        tokens: list[Token] = []
        left = 0  # in bytes, as the library counts within a word
        joined_from = 0
        for end in reversed(ends):
            right = left + len(word[starts[end] : end].encode())
            if tokens and ids[end] == tokens[-1].id == self._unknown_id:
                tokens.pop()
            else:
                joined_from = left
            tokens.append(Token(ids[end], "", (joined_from, right)))
            left = right
        return tokens


def write_unigram(tokenizer: Path, *, folder: Path) -> bool:
    """Write the vocabulary of a `tokenizer.json` in mapped form into `folder`, which must not exist.

    Returns:
        Whether it was written. It is not for tokenizers of other kinds, and where what was written does not give
        the library's own pieces of texts made of all parts of the vocabulary.
    """
    library = Tokenizer.from_file(str(tokenizer))
    # Its own words, not the file's: numbers are what the library has read them as.
    rest = json.loads(library.to_str())
    if not _can_be_mapped(rest):
        return False
    model, added = rest["model"], rest["added_tokens"]
    pieces = {piece: (key, score) for key, (piece, score) in enumerate(model["vocab"])}
    trie = marisa_trie.Trie(pieces)
    in_order = [pieces[trie.restore_key(key)] for key in range(len(trie))]
    facts = {
        "unknown_id": model["unk_id"],
        "longest_piece": max(map(len, pieces)),
        "added_tokens": [{name: token[name] for name in ("id", "content", "lstrip", "rstrip")} for token in added],
    }
    rest |= {"added_tokens": [], "model": {**model, "unk_id": 0, "vocab": [["", 0.0]]}}
    folder.mkdir()
    trie.save(str(folder / _TRIE))
    np.save(folder / _IDS, np.array([key for key, _ in in_order], np.int32))
    np.save(folder / _SCORES, np.array([score for _, score in in_order], np.float64))
    (folder / _FACTS).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    (folder / _REST).write_text(json.dumps(rest) + "\n", encoding="utf-8")
    if not _agrees(UnigramTokenizer(folder, max_tokens=_CHECKED_TEXTS), library, pieces=list(pieces)):
        shutil.rmtree(folder)
        return False
    return True


def _can_be_mapped(config: dict[str, Any]) -> bool:
    """Whether the parts of a tokenizer are of the kinds that `UnigramTokenizer` does as the library does."""
    model = config["model"]
    if model["type"] != "Unigram" or model["unk_id"] is None or model.get("byte_fallback"):
        return False
    vocabulary = [piece for piece, _ in model["vocab"]]
    if "" in vocabulary or len(set(vocabulary)) < len(vocabulary):
        return False
    if any(token["single_word"] or token["normalized"] or not token["content"] for token in config["added_tokens"]):
        return False
    cutting = config["pre_tokenizer"] or {"type": "none"}
    steps = cutting["pretokenizers"] if cutting["type"] == "Sequence" else [cutting]
    # "first" marks the beginning of a text alone, and would here mark what follows an added token too.
    return all(
        step["type"] == "WhitespaceSplit" or (step["type"] == "Metaspace" and step["prepend_scheme"] != "first")
        for step in steps
    )


def _agrees(mapped: UnigramTokenizer, library: Tokenizer, *, pieces: list[str]) -> bool:
    """Whether both give the same of texts of some fifty pieces drawn from the vocabulary, apart and run together."""
    draw = random.Random(0)  # noqa: S311 - not for secrets
    texts = [draw.choice(("", " ")).join(draw.choices(pieces, k=50)) for _ in range(_CHECKED_TEXTS)]
    for text, found in zip(texts, mapped.pieces(texts), strict=True):
        expected = Pieces.of(library.encode(text, add_special_tokens=False))
        if not (np.array_equal(found.ids, expected.ids) and np.array_equal(found.spans, expected.spans)):
            return False
    return True


def _any_of(contents: Iterable[str]) -> re.Pattern[str]:
    """Finds the first of these in a text, and tells which by the number of its group."""
    return re.compile("|".join(f"({re.escape(content)})" for content in contents) or _NOTHING)


def _with_spaces(text: str, start: int, end: int, *, added: dict[str, Any], after: int) -> tuple[int, int]:
    """The span of an added token with the spaces that it takes along, from `after` on."""
    while added["lstrip"] and start > after and text[start - 1] in _SPACE:
        start -= 1
    while added["rstrip"] and end < len(text) and text[end] in _SPACE:
        end += 1
    return start, end
