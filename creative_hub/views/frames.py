"""The start frame of a clip: uploaded, picked, replaced, taken away."""

from __future__ import annotations

import uuid
from typing import Any, BinaryIO, cast

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from assets import selectors as asset_selectors
from assets.info import AssetInfo
from creative_hub.catalogue import VIDEO
from creative_hub.forms import VideoForm
from creative_hub.services import frames
from creative_hub.views import context, video_options
from workspaces.access import MemberRequest, member_required
from workspaces.roles import Permission


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(Permission.GENERATE)
def start_frame(request: MemberRequest) -> HttpResponse:
    """The component around a start frame: after an upload (POST), or for a library picture (GET).

    Without a picture it is empty again. A refusal keeps the frame that was there before.
    """
    given = request.POST if request.method == "POST" else request.GET
    chosen = {name: str(given.get(name, "")) for name in ("provider", "aspect_ratio", "duration")}
    error = ""
    asset = None
    try:
        if context.moved(request):
            raise frames.FrameRefused("This page is out of date. Reload it, then add the picture.")
        asset = _uploaded(request) if request.method == "POST" else _picked(request)
    except frames.FrameRefused as refused:
        error = str(refused)
    except OSError:
        error = frames.NOT_TAKEN
    if asset and not request.htmx:
        page = reverse("creative_hub:video_studio")
        return redirect(f"{page}?start_frame={asset.id}")
    answer = _before(request, chosen, str(given.get("start_frame_id", "")) if error else "")
    if asset:
        answer = _added(asset, chosen, keeps_ratio="keep" in request.GET)
    elif error:
        answer |= {"frame_error": error, "announcement": error}
    response = render(
        request,
        "creative_hub/_start_frame_answer.html",
        {
            "chosen": chosen,
            **answer,
            **context.studio(VIDEO.kind),
            **video_options.offered(VideoForm.made_by(chosen), chosen),
        },
        status=400 if error else 200,
    )
    return context.no_store(response)


def _uploaded(request: MemberRequest) -> AssetInfo:
    file = request.FILES.get("image")
    if file is None:
        raise frames.FrameRefused("No picture came with the request. Choose one and try again.")
    return frames.take_upload(
        member=request.member, file=cast(BinaryIO, file), name=file.name or "", now=timezone.now()
    )


def _picked(request: MemberRequest) -> AssetInfo | None:
    picked = request.GET.get("start_frame", "")
    if not picked:
        return None
    try:
        return frames.chosen(member=request.member, asset_id=uuid.UUID(picked))
    except ValueError:
        raise Http404 from None


def _added(asset: AssetInfo, chosen: dict[str, str], *, keeps_ratio: bool) -> dict[str, Any]:
    """A new frame, and the ratio that crops it the least."""
    made_by = VideoForm.made_by(chosen)
    nearest = made_by.nearest_ratio(asset.width, asset.height)
    if keeps_ratio and chosen["aspect_ratio"] in made_by.ratios:
        nearest = chosen["aspect_ratio"]
    said = ""
    if nearest != chosen["aspect_ratio"]:
        said = f"Aspect ratio set to {nearest} to fit the start frame."
    chosen["aspect_ratio"] = nearest
    return {
        "frame": video_options.frame_of(asset, aspect_ratio=nearest),
        "is_new": True,
        "said": {"aspect_ratio": said},
        "announcement": f"Start frame added. {said}".strip(),
    }


def _before(request: MemberRequest, chosen: dict[str, str], asset_id: str) -> dict[str, Any]:
    """The frame that was there, if it stays."""
    frame = video_options.frame_shown(
        member=request.member, asset_id=asset_id, aspect_ratio=chosen["aspect_ratio"]
    )
    return {"frame": frame, "announcement": "Start frame removed."}


@require_safe
@member_required(Permission.GENERATE)
def frame_picker(request: MemberRequest) -> HttpResponse:
    """The member's pictures, newest first, each one press away from being the start frame."""
    try:
        page = asset_selectors.newest_images(
            member=request.member, cursor=request.GET.get("before", "")
        )
    except ValueError:
        raise Http404 from None
    name = "_frame_picker" if request.htmx else "frame_picker"
    response = render(
        request,
        f"creative_hub/{name}.html",
        {
            "page": page,
            "is_first_page": "before" not in request.GET,
            **context.studio(VIDEO.kind),
        },
    )
    return context.no_store(response)
