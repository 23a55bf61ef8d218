"""Loads models with sentence-transformers, exports them, and runs them where export fails.

The only file that knows sentence-transformers and torch; both are imported when first needed, so that a
serving process never pays for them.
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError

from .encoder import Embedding, PromptedEncoder, TokenVectors, own_vectors, unit_rows
from .errors import ModelError
from .graph import export_graph

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .encoder import ModelCard
    from .tokenizer import PieceTokenizer

# Prompts of model families whose folders do not carry them, from their model cards: a pattern of the
# name, the prompt of a question, the prompt of a passage. The first that matches counts.
_FAMILY_PROMPTS = (
    (
        r"e5.{0,60}instruct",
        "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: ",
        "",
    ),
    (r"(^|[/_-])e5[_-]|multilingual-e5", "query: ", "passage: "),
    (r"bge-(small|base|large)-en", "Represent this sentence for searching relevant passages: ", ""),
)


def load_sentence_transformer(folder: Path, *, trust_remote_code: bool = False) -> Any:  # noqa: ANN401 - untyped library
    """Load a sentence-transformers model from a local folder, on the CPU, from safetensors only.

    Raises:
        ModelError: the folder is not such a model.
    """
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - see the module's docstring
    from transformers.utils import logging  # noqa: PLC0415

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = SentenceTransformer(
                str(folder),
                device="cpu",
                local_files_only=True,
                trust_remote_code=trust_remote_code,
                model_kwargs={"use_safetensors": True},
            )
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, ImportError, SafetensorError) as error:
        raise ModelError(
            f"{folder} does not load as a sentence-transformers model ({error}); expected a folder with "
            "modules.json or config.json, tokenizer.json and model.safetensors"
        ) from error
    return model.eval()


def prompts_of(model: Any, *, name: str) -> tuple[str, str]:  # noqa: ANN401
    """What the model wants before a question and before a passage; its own word first, then its family's."""
    own: dict[str, str] = model.prompts or {}
    query = own.get("query", "")
    passage = own.get("passage") or own.get("document") or ""
    if query or passage:
        return query, passage
    for pattern, family_query, family_passage in _FAMILY_PROMPTS:
        if re.search(pattern, name.lower()):
            return family_query, family_passage
    return "", ""


def export_model(model: Any, *, folder: Path) -> None:  # noqa: ANN401
    """Export the whole pipeline (transformer, pooling, normalisation) as one graph in `folder`.

    Raises:
        ModelError: the model cannot be traced.
    """
    import torch  # noqa: PLC0415

    class Pipeline(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> tuple[Any, Any]:  # noqa: ANN401
            features = self.model({"input_ids": input_ids, "attention_mask": attention_mask})
            unit = torch.nn.functional.normalize(features["sentence_embedding"], dim=-1)
            return unit, features["token_embeddings"]

    # Two rows of unequal length, so that tracing sees a mask that matters.
    ids = torch.full((2, 9), 5, dtype=torch.int64)
    mask = torch.ones_like(ids)
    mask[1, 6:] = 0
    try:
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")
            export_graph(Pipeline(), example={"input_ids": ids, "attention_mask": mask}, folder=folder)
    except (RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"this model cannot be exported as a graph ({error})") from error


class TorchEncoder(PromptedEncoder):
    """An `Encoder` that runs sentence-transformers itself, for models that do not export."""

    def __init__(self, model: Any, *, card: ModelCard, tokenizer: PieceTokenizer) -> None:  # noqa: ANN401
        super().__init__(card=card, tokenizer=tokenizer)
        self._model = model

    def _embed(self, texts: Sequence[str], *, prompt: str) -> Embedding:
        own = self._tokenizer.own_tokens(prompt)
        outputs = self._model.encode(list(texts), prompt=prompt, output_value=None, show_progress_bar=False)
        vectors = np.empty((len(texts), self._card.dim), np.float32)
        tokens: list[TokenVectors] = []
        read = self._tokenizer.read([prompt + text for text in texts])
        for row, output in enumerate(outputs):
            vectors[row] = output["sentence_embedding"].numpy()
            tokens.append(own_vectors(read[row], output["token_embeddings"].numpy(), own=own))
        return Embedding(unit_rows(vectors), tokens)
