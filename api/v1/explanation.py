"""Why a hit ranks where it does, on the wire."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    import search


class DenseEvidence(BaseModel):
    """What the vectors of question and passage say."""

    cosine: float
    rank: int | None = Field(description="The passage's place by the cosine alone; null past the first 1,000.")


class SharedWord(BaseModel):
    """A word of the question that the passage or its title has, in any form."""

    text: str = Field(description="As it stands in the passage first.")
    weight: float = Field(description="Inverse document frequency among passages of the language.")
    count: int = Field(description="How often the passage has it.")


class LexicalEvidence(BaseModel):
    """What the shared words say."""

    share: float = Field(description="Of the weight of the question's words, how much matches (BM25).")
    rank: int | None = Field(description="The passage's place by the share alone; null where no word is shared.")
    words: list[SharedWord] = Field(description="The heaviest first.")


class TokenPair(BaseModel):
    """A piece of the question and the nearest piece of the passage or its title."""

    question: str
    passage: str
    cosine: float
    weight: float


class LateEvidence(BaseModel):
    """What late interaction says."""

    score: float = Field(description="The sum of cosine x weight over the pairs.")
    counted: bool = Field(description="Whether the ranking used it.")
    pairs: list[TokenPair] = Field(description="One for each piece of the question, the heaviest first.")


class Explanation(BaseModel):
    """What each kind of evidence says of a hit. Ranks count passages, from 1, among those that pass the filters."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "language": "id",
                    "dense": {"cosine": 0.871, "rank": 2},
                    "lexical": {"share": 0.42, "rank": 1, "words": [{"text": "pasar", "weight": 3.7, "count": 2}]},
                    "late": {
                        "score": 0.81,
                        "counted": True,
                        "pairs": [{"question": "dibuka", "passage": "beroperasi", "cosine": 0.84, "weight": 0.31}],
                    },
                    "lifted": 1,
                }
            ]
        }
    )

    language: str = Field(description="Of the passage.")
    dense: DenseEvidence | None = Field(description="null where words alone ranked: by mode, or without a model.")
    lexical: LexicalEvidence
    late: LateEvidence | None = Field(description="null without token vectors, and where words alone ranked.")
    lifted: int = Field(description="Places that shared words moved it up within its language; negative: down.")


def explanation_of(found: search.Explanation) -> Explanation:
    """Words an explanation."""
    return Explanation.model_validate(asdict(found))
