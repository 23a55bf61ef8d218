"""From articles to an index on disk.

Articles enter; passages, their vectors and a manifest leave as one immutable generation folder, which this
package also opens, verifies, replaces and rolls back. Nothing is ranked here.
"""

from .build import build
from .chunker import ChunkSettings, chunk, embedded_text, embedded_title
from .current import current_generation, open_current, open_good
from .encoder import Embedding, Encoder, ModelCard, Rows, TokenVectors, unit_rows
from .errors import (
    EncoderFailed,
    IndexBusy,
    IndexDamaged,
    IndexerError,
    IndexMismatch,
    IndexNotFound,
    IndexNotWritable,
    ModelError,
)
from .generation import Generation
from .hashing_encoder import HashingEncoder
from .model import DEFAULT_MODEL, Runtime, find_prepared, open_encoder, prepare_model
from .offsets import Offsets
from .packed_e5 import EMBEDDED_MODEL
from .passage import Passage
from .plan import BuildReport, Progress
from .sentences import split_sentences
from .stories import Stories
from .token_store import TokenStore
from .wording import StorySettings

__all__ = [
    "DEFAULT_MODEL",
    "EMBEDDED_MODEL",
    "BuildReport",
    "ChunkSettings",
    "Embedding",
    "Encoder",
    "EncoderFailed",
    "Generation",
    "HashingEncoder",
    "IndexBusy",
    "IndexDamaged",
    "IndexMismatch",
    "IndexNotFound",
    "IndexNotWritable",
    "IndexerError",
    "ModelCard",
    "ModelError",
    "Offsets",
    "Passage",
    "Progress",
    "Rows",
    "Runtime",
    "Stories",
    "StorySettings",
    "TokenStore",
    "TokenVectors",
    "build",
    "chunk",
    "current_generation",
    "embedded_text",
    "embedded_title",
    "find_prepared",
    "open_current",
    "open_encoder",
    "open_good",
    "prepare_model",
    "split_sentences",
    "unit_rows",
]
