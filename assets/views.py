"""Media: every byte is given to members who may see it, and to nobody else."""

from __future__ import annotations

import uuid
from functools import partial

import structlog
from django.conf import settings
from django.http import Http404, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from assets import containers, imaging, ranges, selectors, storage
from assets.errors import AssetNotFound
from assets.info import AssetInfo
from workspaces.access import MemberRequest, member_required
from workspaces.roles import Permission

log = structlog.get_logger(__name__)

# How much of a link's life is left at least when a browser takes it from its cache.
_LINK_MARGIN_S = 60

_HEADERS = {
    # Bytes are asked for again with each use: a browser that has signed out gets none.
    "Cache-Control": "private, no-cache",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Whatever else a file may be, opened by itself it is a picture or a clip and runs nothing.
    "Content-Security-Policy": "sandbox; default-src 'none'; img-src 'self'; media-src 'self';"
    " style-src 'unsafe-inline'",
}
_CLIP_HEADERS = {
    # Chromium's cache would turn the player's open ranges into closed ones, which are answered
    # whole: see ranges.OPEN_RANGE_BYTES.
    "Cache-Control": "private, no-store",
    # The player that a browser puts around a clip asks for it again: in a sandbox without an origin
    # that is another site's question and is refused. Scripts stay off all the same.
    "Content-Security-Policy": "sandbox allow-same-origin; default-src 'none'; img-src 'self';"
    " media-src 'self'; style-src 'unsafe-inline'",
}


@require_safe
@member_required(Permission.OPEN_HUB)
def original(request: MemberRequest, asset_id: uuid.UUID) -> HttpResponseBase:
    asset = _visible_or_404(request, asset_id)
    return _original(request, asset, as_attachment=False)


@require_safe
@member_required(Permission.OPEN_HUB)
def download(request: MemberRequest, asset_id: uuid.UUID) -> HttpResponseBase:
    asset = _visible_or_404(request, asset_id)
    return _original(request, asset, as_attachment=True)


@require_safe
@member_required(Permission.OPEN_HUB)
def thumbnail(request: MemberRequest, asset_id: uuid.UUID, width: int) -> HttpResponseBase:
    if width not in imaging.THUMBNAIL_WIDTHS:
        raise Http404
    asset = _visible_or_404(request, asset_id)
    return _serve(
        request,
        asset,
        name=storage.thumbnail_name(folder=asset.folder, width=width),
        media_type=storage.THUMBNAIL_TYPE,
        etag=f'"{asset.sha256}-{width}"',
        disposition="inline",
    )


def _visible_or_404(request: MemberRequest, asset_id: uuid.UUID) -> AssetInfo:
    try:
        return selectors.get_visible(member=request.member, asset_id=asset_id)
    except AssetNotFound as error:
        raise Http404 from error


def _original(request: MemberRequest, asset: AssetInfo, *, as_attachment: bool) -> HttpResponseBase:
    return _serve(
        request,
        asset,
        name=storage.original_name(folder=asset.folder, extension=asset.extension),
        media_type=asset.media_type,
        etag=f'"{asset.sha256}"',
        disposition=content_disposition_header(as_attachment, asset.download_name) or "inline",
        open_range_bytes=None if as_attachment else ranges.OPEN_RANGE_BYTES,
    )


def _serve(
    request: MemberRequest,
    asset: AssetInfo,
    *,
    name: str,
    media_type: str,
    etag: str,
    disposition: str,
    open_range_bytes: int | None = None,
) -> HttpResponseBase:
    if not storage.is_local():
        return _redirect(request, name=name, media_type=media_type, disposition=disposition)
    size_bytes = storage.size_of(name=name)
    if size_bytes is None:
        log.error("asset_file_missing", asset_id=str(asset.id), name=name)
        raise Http404
    response = ranges.serve(
        request=request,
        open_file=partial(storage.open_file, name=name),
        size_bytes=size_bytes,
        media_type=media_type,
        etag=etag,
        open_range_bytes=open_range_bytes,
    )
    response["Content-Disposition"] = disposition
    own = _CLIP_HEADERS if media_type == containers.MP4 else {}
    for header, value in {**_HEADERS, **own}.items():
        response[header] = value
    return response


def _redirect(
    request: MemberRequest, *, name: str, media_type: str, disposition: str
) -> HttpResponseRedirect:
    """To the store, by a link that lives minutes. A page of cards shown again reuses the links.

    The session's `Vary: Cookie` keeps a browser that has signed out from reusing them.
    """
    response = HttpResponseRedirect(
        storage.link(
            name=name,
            media_type=media_type,
            disposition=disposition,
            method=str(request.method),
        )
    )
    response["Cache-Control"] = f"private, max-age={settings.MEDIA_LINK_S - _LINK_MARGIN_S}"
    # The link in the address is a key to the file: it stays out of Referer headers.
    response["Referrer-Policy"] = "no-referrer"
    return response
