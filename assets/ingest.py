"""How a file becomes an asset."""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from collections.abc import Callable, Collection
from contextlib import ExitStack
from datetime import datetime
from typing import BinaryIO, Final

import structlog
from django.db import transaction
from django.utils.text import slugify

from assets import clips, containers, imaging, selectors, storage
from assets.errors import Reason, ReferenceTaken, RejectedFile
from assets.info import AssetInfo
from assets.models import Asset

__all__ = ["AssetInfo", "ingest"]

log = structlog.get_logger(__name__)

_CHUNK_BYTES = 2**20
_STEM_LENGTH = 80
_MAX_BYTES: Final = {"image": imaging.MAX_PICTURE_BYTES, "video": clips.MAX_CLIP_BYTES}

Examined = imaging.ExaminedPicture | clips.ExaminedClip


def ingest(
    *,
    file: BinaryIO,
    workspace_id: uuid.UUID,
    membership_id: int,
    source: str,
    source_reference: str,
    stem: str,
    is_sandbox: bool,
    now: datetime,
    accept: Collection[str] = ("image",),
    max_bytes: int | None = None,
    check: Callable[[Examined], None] | None = None,
) -> AssetInfo:
    """Check, measure, hash and store a file with its thumbnails, then write its row.

    file: a seekable one is read from its start and left open; any other is first copied to a
    temporary file. source: one of Asset.Source. stem: what the download is called, made safe here.
    accept: the kinds that are taken, image or video; which one it is, the bytes decide.
    max_bytes: reading stops one byte later; unless given, the most that any of the kinds may have.
    check: sees what is in the file before anything is stored; whatever it raises comes through.

    Idempotent by source_reference: a repeated or concurrent ingest returns the first asset, even
    for other bytes, and leaves no files of its own. After a crash the next ingest of the reference
    writes the same keys or sweeps the old ones. Must run outside a transaction: storing may take
    minutes. Raises RejectedFile (nothing stored), ReferenceTaken, or OSError when the store did
    not take the files (worth trying again).
    """
    known_source = Asset.Source(source)
    kinds = frozenset(Asset.Kind(kind) for kind in accept)
    limit = max(_MAX_BYTES[kind] for kind in kinds) if max_bytes is None else max_bytes
    with transaction.atomic(durable=True):  # durable: says so at once when called inside another
        first = selectors.by_reference(source_reference=source_reference)
    if first is not None:
        return _of_workspace(first, workspace_id)

    with ExitStack() as stack:
        held = file if file.seekable() else stack.enter_context(tempfile.TemporaryFile())
        size_bytes, sha256 = _take(file, held=held, max_bytes=limit)
        examined = _examine(held, kinds)
        if check is not None:
            check(examined)
        folder = storage.folder_of(
            workspace_id=workspace_id, source_reference=source_reference, sha256=sha256
        )
        try:
            _store(held, folder=folder, examined=examined)
        except OSError:
            # Another ingest of the reference may have won meanwhile and swept ours.
            first = selectors.by_reference(source_reference=source_reference)
            if first is None:
                raise
            return _lost(first, folder=folder, workspace_id=workspace_id)

    with transaction.atomic(durable=True):
        asset, is_ours = Asset.objects.get_or_create(
            source_reference=source_reference,
            defaults={
                "workspace_id": workspace_id,
                "creator_id": membership_id,
                "kind": containers.kind_of(examined.media_type),
                "source": known_source,
                "storage_key": folder,
                "stem": slugify(stem)[:_STEM_LENGTH].strip("-_"),
                "media_type": examined.media_type,
                "sha256": sha256,
                "bytes": size_bytes,
                "width": examined.width,
                "height": examined.height,
                "duration_s": _duration_s(examined),
                "is_sandbox": is_sandbox,
                "created_at": now,
            },
        )
    stored = selectors.info(asset)
    if not is_ours:
        return _lost(stored, folder=folder, workspace_id=workspace_id)
    storage.sweep(folder=folder)
    log.info("asset_ingested", asset_id=str(asset.pk), bytes=size_bytes, source=asset.source)
    return stored


def _take(file: BinaryIO, *, held: BinaryIO, max_bytes: int) -> tuple[int, str]:
    """Read the file once: its bytes counted and hashed, and copied to held unless it is that."""
    if held is file:
        file.seek(0)
    digest, size_bytes = hashlib.sha256(), 0
    while chunk := file.read(_CHUNK_BYTES):
        size_bytes += len(chunk)
        if size_bytes > max_bytes:
            raise imaging.too_large(max_bytes)
        digest.update(chunk)
        if held is not file:
            held.write(chunk)
    if not size_bytes:
        raise RejectedFile(Reason.EMPTY, "The file is empty.")
    return size_bytes, digest.hexdigest()


def _examine(held: BinaryIO, kinds: frozenset[Asset.Kind]) -> Examined:
    held.seek(0)
    media_type = containers.media_type_of(held.read(containers.HEAD_BYTES))
    if media_type is None or containers.kind_of(media_type) not in kinds:
        raise _unknown_type(kinds)
    if media_type == containers.MP4:
        return clips.examine(file=held)
    return imaging.examine(file=held, media_type=media_type)


def _unknown_type(kinds: frozenset[Asset.Kind]) -> RejectedFile:
    if kinds == {Asset.Kind.IMAGE}:
        return imaging.unknown_type()
    if kinds == {Asset.Kind.VIDEO}:
        return clips.unknown_type()
    return RejectedFile(
        Reason.UNKNOWN_TYPE,
        "This file is neither a JPEG, PNG or WebP picture nor an MP4 or MOV clip.",
    )


def _duration_s(examined: Examined) -> float | None:
    return examined.duration_s if isinstance(examined, clips.ExaminedClip) else None


def _store(held: BinaryIO, *, folder: str, examined: Examined) -> None:
    extension = containers.EXTENSIONS[examined.media_type]
    storage.put(
        name=storage.original_name(folder=folder, extension=extension),
        content=held,
        media_type=examined.media_type,
    )
    for width, thumbnail in examined.thumbnails.items():
        storage.put(
            name=storage.thumbnail_name(folder=folder, width=width),
            content=thumbnail,
            media_type=storage.THUMBNAIL_TYPE,
        )


def _lost(first: AssetInfo, *, folder: str, workspace_id: uuid.UUID) -> AssetInfo:
    """Give way to the ingest that wrote the row first."""
    if folder != first.folder:
        storage.remove(folder=folder)
    return _of_workspace(first, workspace_id)


def _of_workspace(first: AssetInfo, workspace_id: uuid.UUID) -> AssetInfo:
    # A reference that a client can choose must never open another workspace's asset.
    if first.workspace_id != workspace_id:
        raise ReferenceTaken(first.id)
    return first
