"""Reads of the library, as plain values."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from assets import imaging, storage
from assets.errors import AssetNotFound
from assets.info import AssetInfo
from assets.models import Asset
from wevion.lib.cursors import BadCursor, newest_first
from workspaces.selectors import Member

__all__ = [
    "AssetInfo",
    "AssetNotFound",
    "BadCursor",
    "ImagePage",
    "by_ids",
    "by_reference",
    "get_visible",
    "missing_files",
    "newest_images",
]

PAGE_SIZE = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePage:
    """A page of pictures, newest first. next_cursor: empty on the last one."""

    images: list[AssetInfo]
    next_cursor: str


def by_ids(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, AssetInfo]:
    """The assets with these ids, unknown ones left out. For callers that authorise themselves."""
    return {asset.pk: info(asset) for asset in Asset.objects.filter(pk__in=list(ids))}


def by_reference(*, source_reference: str) -> AssetInfo | None:
    """What was made from this source reference, if it was."""
    asset = Asset.objects.filter(source_reference=source_reference).first()
    return info(asset) if asset else None


def get_visible(*, member: Member, asset_id: uuid.UUID) -> AssetInfo:
    """An asset this member may see. Raises AssetNotFound."""
    asset = _visible_to(member).filter(pk=asset_id).first()
    if asset is None:
        raise AssetNotFound(asset_id)
    return info(asset)


def newest_images(*, member: Member, cursor: str = "", size: int = PAGE_SIZE) -> ImagePage:
    """The pictures this member may see, newest first, from a cursor on. Raises BadCursor.

    Each page is one read of size + 1 rows of an index, however many assets there are.
    """
    rows = _visible_to(member).filter(kind=Asset.Kind.IMAGE)
    shown, next_cursor = newest_first(rows, cursor=cursor, size=size)
    return ImagePage(images=[info(asset) for asset in shown], next_cursor=next_cursor)


def missing_files(*, asset_ids: Iterable[uuid.UUID]) -> list[uuid.UUID]:
    """Those of the assets that are not whole in the store, in the order given.

    Not whole: the original is absent or of another size than recorded, or a thumbnail is absent or
    empty, or there is no such asset. Asks the store three times per asset.
    """
    ids = list(asset_ids)
    assets = by_ids(ids)
    return [asset_id for asset_id in ids if not _is_whole(assets.get(asset_id))]


def info(asset: Asset) -> AssetInfo:
    return AssetInfo(
        id=asset.pk,
        workspace_id=asset.workspace_id,
        creator_id=asset.creator_id,
        kind=asset.kind,
        source=asset.source,
        media_type=asset.media_type,
        sha256=asset.sha256,
        bytes=asset.bytes,
        width=asset.width,
        height=asset.height,
        duration_s=asset.duration_s,
        stem=asset.stem,
        is_sandbox=asset.is_sandbox,
        created_at=asset.created_at,
        folder=asset.storage_key,
    )


def _visible_to(member: Member) -> QuerySet[Asset]:
    assets = Asset.objects.filter(workspace_id=member.workspace_id)
    return assets if member.may_see_others else assets.filter(creator_id=member.membership_id)


def _is_whole(asset: AssetInfo | None) -> bool:
    if asset is None:
        return False
    original = storage.original_name(folder=asset.folder, extension=asset.extension)
    thumbnails = (
        storage.thumbnail_name(folder=asset.folder, width=width)
        for width in imaging.THUMBNAIL_WIDTHS
    )
    return storage.size_of(name=original) == asset.bytes and all(
        storage.size_of(name=name) for name in thumbnails
    )
