"""What a composer starts with: a reused job, a starter prompt, a picture, or the defaults."""

from __future__ import annotations

import uuid

from creative_hub import catalogue, selectors
from creative_hub.catalogue import Kind
from creative_hub.models import Generation
from creative_hub.services import frames
from workspaces.access import MemberRequest


def initial(request: MemberRequest, kind: Kind) -> dict[str, str]:
    """The composer's first values, by field, as the address of the page asks for them."""
    starter = next(
        (one for one in catalogue.STARTERS[kind] if one.id == request.GET.get("prompt_id")), None
    )
    if starter:
        chosen = {"prompt": starter.prompt, "aspect_ratio": starter.aspect_ratio}
        return {**chosen, "style": starter.style} if starter.style else chosen
    # job: the one just ordered without JavaScript, so that prompt and options stay as they were.
    asked = request.GET.get("reuse") or request.GET.get("job", "")
    try:
        reused = selectors.get_visible(member=request.member, generation_id=uuid.UUID(asked))
    except (ValueError, Generation.DoesNotExist):
        return _with_frame(request, {}) if kind == Kind.VIDEO else {}
    if "prompt_only" in request.GET or reused.kind != kind:
        values = {"prompt": reused.prompt}
    elif kind == Kind.VIDEO:
        values = _clip(reused)
    else:
        values = _picture(reused)
    return _with_frame(request, values) if kind == Kind.VIDEO else values


def said(request: MemberRequest, filled: dict[str, str]) -> dict[str, str]:
    """What the page says it chose for a picture that is to be animated, by field."""
    ratio = filled.get("aspect_ratio", catalogue.VIDEO.default_ratio)
    is_moved = "start_frame_id" in filled and ratio != catalogue.VIDEO.default_ratio
    if "start_frame" not in request.GET or not is_moved:
        return {}
    return {"aspect_ratio": f"Aspect ratio set to {ratio} to fit the start frame."}


def _picture(reused: Generation) -> dict[str, str]:
    return {
        "prompt": reused.prompt,
        "style": reused.style,
        "aspect_ratio": reused.aspect_ratio,
        "resolution": reused.resolution,
        "num_variants": str(reused.num_variants),
    }


def _clip(reused: Generation) -> dict[str, str]:
    frame = {"start_frame_id": str(reused.start_frame_id)} if reused.start_frame_id else {}
    return {
        "prompt": reused.prompt,
        "provider": reused.provider,
        "duration": str(reused.duration_s),
        "aspect_ratio": reused.aspect_ratio,
        **frame,
    }


def _with_frame(request: MemberRequest, values: dict[str, str]) -> dict[str, str]:
    """The same with the picture that "Use as start frame" was pressed on, and the ratio it fits.

    What made the picture tells the prompt, where there is none yet.
    """
    try:
        asset_id = uuid.UUID(request.GET.get("start_frame", ""))
        asset = frames.chosen(member=request.member, asset_id=asset_id)
    except (ValueError, frames.FrameRefused):
        return values
    made_by = catalogue.VIDEO.provider(values.get("provider") or catalogue.VIDEO.default_provider)
    if not values.get("prompt"):
        values = {**values, "prompt": _prompt_behind(request, asset_id)}
    return {
        **values,
        "start_frame_id": str(asset.id),
        "aspect_ratio": made_by.nearest_ratio(asset.width, asset.height),
    }


def _prompt_behind(request: MemberRequest, asset_id: uuid.UUID) -> str:
    """What the picture was made from; empty for one that was not made here."""
    try:
        return selectors.generation_of_asset(member=request.member, asset_id=asset_id).prompt
    except Generation.DoesNotExist:
        return ""
