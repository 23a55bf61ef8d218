"""From a model's name to an encoder: found, prepared once in the cache folder, opened."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from .adaptation import ADAPTED_MODEL, adaptation_file, adapted
from .encoder import Encoder, ModelCard
from .errors import ModelError
from .graph import GraphEncoder, has_graph
from .packed_e5 import EMBEDDED_MODEL, packed_file, read_packed, write_sentence_transformers_folder
from .prepared import SUMS_FILE, check_sums, write_sums
from .sentence_model import TorchEncoder, export_model, load_sentence_transformer, prompts_of
from .tokenizer import PieceTokenizer
from .unigram import UnigramTokenizer, write_unigram

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_MODEL = ADAPTED_MODEL

_CARD = "card.json"
_TOKENIZER = "tokenizer.json"
_PIECES = "pieces"
_SOURCE = "source"
_REASON = "no-graph.txt"
# Part of every fingerprint: raise it when preparing changes what vectors come out.
_PREPARATION = "1"
_SOURCE_FILES = ("*.json", "*.txt", "*.model", "*.safetensors")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


class Runtime(StrEnum):
    """What runs the model: the exported graph where there is one, or always torch."""

    AUTO = "auto"
    TORCH = "torch"


def prepare_model(
    name: str,
    *,
    cache: Path,
    progress: Callable[[str], None] = lambda _step: None,
    trust_remote_code: bool = False,
) -> Path:
    """Make `name` ready to run, unless it is: tokenizer, card and graph in one folder under `cache`.

    `name` is an embedded model, a folder, or a hub id. The folder appears whole or not at all; a second
    process preparing the same model waits for the first.

    Raises:
        ModelError: no such model, or it does not load.
    """
    sources, fingerprint = _locate(name, progress=progress)
    folder = cache / f"{_slug(name)}-{fingerprint[:12]}"
    if (folder / SUMS_FILE).is_file():
        return folder
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / f".{folder.name}.lock"):
            if not (folder / SUMS_FILE).is_file():
                _prepare(
                    name,
                    sources=sources,
                    fingerprint=fingerprint,
                    folder=folder,
                    progress=progress,
                    trust_remote_code=trust_remote_code,
                )
    except OSError as error:
        raise ModelError(
            f"cannot prepare the model in {cache} ({error}); free some space there (about 1 GB) or name another "
            "folder with --model-cache"
        ) from error
    return folder


def open_encoder(
    folder: Path, *, threads: int | None = None, runtime: Runtime = Runtime.AUTO, bulk: bool = False
) -> Encoder:
    """Open what `prepare_model` or `find_prepared` returned, for questions, or in `bulk` for many passages at a time.

    `threads` defaults to the processor's cores.

    Raises:
        ModelError: a file is missing, altered, or does not load.
    """
    with_graph = runtime is Runtime.AUTO and has_graph(folder)
    check_sums(folder, without=_SOURCE if with_graph else None)
    card = _card(folder)
    tokenizer = _open_tokenizer(folder, max_tokens=card.max_tokens)
    if with_graph:
        threads = threads or len(os.sched_getaffinity(0))
        return GraphEncoder(folder, card=card, tokenizer=tokenizer, threads=threads, at_once=threads if bulk else 1)
    return TorchEncoder(load_sentence_transformer(folder / _SOURCE), card=card, tokenizer=tokenizer)


def find_prepared(fingerprint: str, *, cache: Path) -> Path | None:
    """The prepared model of that fingerprint, if this machine has it.

    Raises:
        ModelError: its card is damaged.
    """
    for sums in sorted(cache.glob(f"*-{fingerprint[:12]}/{SUMS_FILE}")):
        folder = sums.parent
        if _card(folder).fingerprint != fingerprint:
            raise ModelError(
                f"{folder / _CARD} is not what was prepared; remove {folder}, then run: cari model prepare"
            )
        return folder
    return None


def _card(folder: Path) -> ModelCard:
    try:
        return ModelCard.from_json((folder / _CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError, ModelError) as error:
        raise ModelError(
            f"{folder / _CARD} cannot be read ({error}); remove {folder}, then run: cari model prepare"
        ) from error


def export_source(folder: Path, *, destination: Path) -> None:
    """Copy the sentence-transformers folder of a prepared model to `destination`, which must not exist.

    Raises:
        ModelError: it exists, or cannot be written; or what is prepared was altered.
    """
    if destination.exists():
        raise ModelError(f"{destination} exists; name a folder that does not")
    check_sums(folder)
    try:
        shutil.copytree(folder / _SOURCE, destination)
    except OSError as error:
        raise ModelError(f"cannot write the model to {destination} ({error}); free space or name another") from error


def no_graph_reason(folder: Path) -> str | None:
    """Why a prepared model has no graph and runs on torch, or None when it has one."""
    reason = folder / _REASON
    return reason.read_text(encoding="utf-8") if reason.is_file() else None


def _locate(name: str, *, progress: Callable[[str], None]) -> tuple[list[Path], str]:
    """What holds the model's weights, and its fingerprint: a folder, or a packed file and what is merged into it."""
    if name in {EMBEDDED_MODEL, ADAPTED_MODEL}:
        files = [packed_file()] if name == EMBEDDED_MODEL else [packed_file(), adaptation_file()]
        return files, _fingerprint(files)
    folder = Path(name).expanduser()
    if name and folder.is_dir():
        _refuse_pickles(folder)
        return [folder], _fingerprint(_source_files(folder))
    if _HUB_ID.fullmatch(name) is None:
        raise ModelError(
            f'no model "{name}": not a folder here, not a hub id (owner/name) and none of the '
            f'embedded "{ADAPTED_MODEL}" and "{EMBEDDED_MODEL}"'
        )
    progress(f"fetching {name}")
    folder = _fetch(name)
    return [folder], _fingerprint(_source_files(folder))


def _fetch(name: str) -> Path:
    """A hub model's files, from the hub's own cache or the network; safetensors only, never pickles."""
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - slow, and only hub ids need it
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError  # noqa: PLC0415

    try:
        return Path(
            snapshot_download(name, allow_patterns=list(_SOURCE_FILES), ignore_patterns=["onnx/*", "openvino/*"])
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        raise ModelError(
            f'the model "{name}" is not on this machine and cannot be fetched ({" ".join(str(error).split())}); '
            f"name a folder, or use the embedded one: --model {DEFAULT_MODEL}"
        ) from error


def _refuse_pickles(folder: Path) -> None:
    """Reading one runs what is written in it. The libraries prefer safetensors, but not for every part of a model."""
    for path in sorted(folder.rglob("pytorch_model*.bin")):
        if not any(path.parent.glob("*.safetensors")):
            raise ModelError(
                f"{path} is a pickle, which may run code when it is read, and no weights as safetensors are beside it; "
                "save the model again as safetensors"
            )


def _source_files(folder: Path) -> list[Path]:
    files = {path for pattern in _SOURCE_FILES for path in folder.rglob(pattern) if path.is_file()}
    return sorted(path for path in files if not {"onnx", "openvino"} & set(path.relative_to(folder).parts))


def _fingerprint(files: list[Path]) -> str:
    digest = hashlib.sha256(_PREPARATION.encode())
    for path in files:
        with path.open("rb") as stream:
            digest.update(os.fsencode(path.name) + b"\0" + hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def _slug(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", Path(name).name).strip("-.") or "model"


def _prepare(
    name: str,
    *,
    sources: list[Path],
    fingerprint: str,
    folder: Path,
    progress: Callable[[str], None],
    trust_remote_code: bool,
) -> None:
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as work:
        target = Path(work) / "model"
        target.mkdir()
        source, *merged = sources
        if source.is_file():
            progress(f"unpacking {name}")
            packed = read_packed(source)
            for differences in merged:
                packed = adapted(packed, differences)
            write_sentence_transformers_folder(packed, target / _SOURCE)
        else:
            (target / _SOURCE).symlink_to(source.resolve(), target_is_directory=True)
        progress(f"loading {name}")
        # Resolved: errors name the folder that was given, not the link to it.
        model = load_sentence_transformer((target / _SOURCE).resolve(), trust_remote_code=trust_remote_code)
        _write_tokenizer(model, target)
        query_prompt, passage_prompt = prompts_of(model, name=name)
        max_tokens = int(model.max_seq_length or 512)
        write_unigram(target / _TOKENIZER, folder=target / _PIECES)
        tokenizer = _open_tokenizer(target, max_tokens=max_tokens)
        progress(f"exporting {name} as a graph (once)")
        try:
            export_model(model, folder=target)
        except ModelError as error:
            progress(f"{error}; it will run on torch")
            (target / _REASON).write_text(str(error), encoding="utf-8")
        card = ModelCard(
            name=name,
            fingerprint=fingerprint,
            dim=int(model.get_embedding_dimension()),
            max_tokens=max_tokens,
            overhead_tokens=tokenizer.count(passage_prompt),
            query_prompt=query_prompt,
            passage_prompt=passage_prompt,
        )
        (target / _CARD).write_text(card.to_json() + "\n", encoding="utf-8")
        write_sums(target)
        for path in target.rglob("*"):
            if path.is_file() and not path.is_symlink():
                with path.open("rb") as stream:
                    os.fsync(stream.fileno())
        if folder.exists():
            shutil.rmtree(folder)
        target.rename(folder)


def _open_tokenizer(folder: Path, *, max_tokens: int) -> PieceTokenizer:
    if (folder / _PIECES).is_dir():
        return UnigramTokenizer(folder / _PIECES, max_tokens=max_tokens)
    return PieceTokenizer(folder / _TOKENIZER, max_tokens=max_tokens)


def _write_tokenizer(model: object, target: Path) -> None:
    backend = getattr(getattr(model, "tokenizer", None), "backend_tokenizer", None)
    if backend is None:
        raise ModelError("this model has no fast tokenizer (tokenizer.json); it cannot count tokens")
    backend.save(str(target / _TOKENIZER))
