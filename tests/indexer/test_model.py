from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from indexer import HashingEncoder, ModelCard, ModelError, open_encoder, prepare_model
from indexer.sentence_model import prompts_of

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = {
    "architectures": ["BertModel"],
    "model_type": "bert",
    "vocab_size": 8,
    "hidden_size": 4,
    "num_hidden_layers": 1,
    "num_attention_heads": 1,
    "intermediate_size": 4,
}


class Model:
    def __init__(self, prompts: dict[str, str] | None) -> None:
        self.prompts = prompts


@pytest.mark.parametrize("name", ["nothing-of-that-name", "a/b/c", "", "bad name/with space"])
def test_a_name_that_is_no_model_says_what_a_name_may_be(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match=f'no model "{name}": not a folder here, not a hub id .* none of the embedded'):
        prepare_model(name, cache=tmp_path)


@pytest.mark.parametrize("content", ["empty", "no weights", "damaged weights", "damaged settings"])
def test_a_folder_that_is_no_model_is_refused_and_leaves_nothing_in_the_cache(tmp_path: Path, content: str) -> None:
    folder, cache = tmp_path / "model", tmp_path / "cache"
    folder.mkdir()
    if content != "empty":
        (folder / "config.json").write_text("{" if content == "damaged settings" else json.dumps(CONFIG))
    if content == "damaged weights":
        (folder / "model.safetensors").write_bytes(b"\xff" * 100)

    with pytest.raises(ModelError, match=rf"^{re.escape(str(folder))} does not load as a sentence-transformers model"):
        prepare_model(str(folder), cache=cache)

    assert [path.name for path in cache.iterdir() if not path.name.endswith(".lock")] == []


def test_a_cache_that_cannot_be_written_says_how_to_name_another(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "file").write_text("")

    with pytest.raises(ModelError, match=r"cannot prepare the model in .*file/cache .* --model-cache"):
        prepare_model(str(tmp_path / "model"), cache=tmp_path / "file" / "cache")


def test_a_folder_that_was_not_prepared_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"is not a prepared model .* cari model prepare"):
        open_encoder(tmp_path)


def test_a_card_comes_back_as_it_was_written() -> None:
    card = replace(HashingEncoder().card, query_prompt="tanya: “", passage_prompt="")

    assert ModelCard.from_json(card.to_json()) == card
    # A later version may say more of a model.
    assert ModelCard.from_json(json.dumps(json.loads(card.to_json()) | {"more": 1})) == card


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"name": "x"}'])
def test_what_is_no_card_is_refused(text: str) -> None:
    with pytest.raises(ModelError, match="not a model card"):
        ModelCard.from_json(text)


@pytest.mark.parametrize(
    ("name", "own", "expected"),
    [
        ("any", {"query": "q: ", "document": "d: "}, ("q: ", "d: ")),
        ("any", {"query": "q: ", "passage": "p: ", "document": "d: "}, ("q: ", "p: ")),
        ("any", {"query": "q: ", "document": ""}, ("q: ", "")),
        ("any", None, ("", "")),
        ("intfloat/multilingual-e5-base", {}, ("query: ", "passage: ")),
        ("models/e5-small-v2", {}, ("query: ", "passage: ")),
        ("BAAI/bge-small-en-v1.5", {}, ("Represent this sentence for searching relevant passages: ", "")),
        ("BAAI/bge-m3", {}, ("", "")),
        ("sentence-transformers/LaBSE", {}, ("", "")),
    ],
)
def test_prompts_are_the_models_own_else_its_familys(
    name: str, own: dict[str, str] | None, expected: tuple[str, str]
) -> None:
    assert prompts_of(Model(own), name=name) == expected


def test_the_instructed_e5_gets_an_instruction_before_questions_only() -> None:
    query, passage = prompts_of(Model({}), name="intfloat/multilingual-e5-large-instruct")

    assert (query[:10], query[-7:], passage) == ("Instruct: ", "Query: ", "")
