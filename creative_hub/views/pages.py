"""The pages themselves."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from assets import selectors as asset_selectors
from creative_hub import cards, catalogue, selectors
from creative_hub.forms import ImageForm
from creative_hub.models import Generation
from creative_hub.views import context
from workspaces.access import MemberRequest, member_required
from workspaces.roles import Permission


@require_safe
@member_required(Permission.OPEN_HUB)
def home(request: MemberRequest) -> HttpResponse:
    return redirect("creative_hub:image_studio")


@require_safe
@member_required(Permission.OPEN_HUB)
def video_studio(request: MemberRequest) -> HttpResponse:
    return render(request, "creative_hub/video_studio.html")


@require_safe
@member_required(Permission.OPEN_HUB)
def image_studio(request: MemberRequest) -> HttpResponse:
    return studio_page(request, form=ImageForm(initial=_prefill(request)))


def studio_page(
    request: MemberRequest,
    *,
    form: ImageForm,
    status: int = 200,
    submission_key: str | None = None,
    **extra: object,
) -> HttpResponse:
    """The whole studio, also around a form that was refused."""
    now = timezone.now()
    member = request.member
    try:
        narrowed_to = selectors.Filter(request.GET.get("show", selectors.Filter.ALL))
    except ValueError:
        narrowed_to = selectors.Filter.ALL
    # Read before the cards: what changes in between is shown twice, never missed.
    revision = selectors.revision(workspace_id=member.workspace_id)
    try:
        page = selectors.page(
            member=member,
            kind=context.KIND,
            narrowed_to=narrowed_to,
            cursor=request.GET.get("before", ""),
        )
    except selectors.BadCursor:
        raise Http404 from None
    response = render(
        request,
        "creative_hub/image_studio.html",
        {
            **context.composer(member=member, form=form, now=now, submission_key=submission_key),
            **context.poller(request, since=revision),
            "cards": cards.cards(generations=page.generations, member=member, now=now),
            "next_cursor": page.next_cursor,
            "narrowed_to": narrowed_to,
            "filters": FILTER_LABELS,
            "starters": catalogue.IMAGE_STARTERS,
            "is_first_page": "before" not in request.GET,
            "list_name": "older" if "before" in request.GET else narrowed_to,
            "highlight": request.GET.get("job", ""),
            **extra,
        },
        status=status,
    )
    return context.no_store(response)


FILTER_LABELS = {
    selectors.Filter.ALL: "All",
    selectors.Filter.IN_PROGRESS: "In progress",
    selectors.Filter.COMPLETED: "Completed",
    selectors.Filter.FAILED: "Failed",
}


@require_safe
@member_required(Permission.OPEN_HUB)
def asset_detail(request: MemberRequest, asset_id: uuid.UUID) -> HttpResponse:
    """The viewer: a page of its own, or its inside for the dialog."""
    member = request.member
    try:
        asset = asset_selectors.get_visible(member=member, asset_id=asset_id)
        generation = selectors.generation_of_asset(member=member, asset_id=asset_id)
    except (asset_selectors.AssetNotFound, Generation.DoesNotExist):
        raise Http404 from None
    card = cards.cards(generations=[generation], member=member, now=timezone.now())[0]
    position = next(index for index, one in enumerate(card.pictures) if one.asset.id == asset.id)
    pictures = card.pictures
    template = "creative_hub/_viewer.html" if request.htmx else "creative_hub/asset_detail.html"
    response = render(
        request,
        template,
        {
            "studio": catalogue.IMAGE,
            "card": card,
            "picture": pictures[position],
            "previous": pictures[position - 1] if position else None,
            "next": pictures[position + 1] if position + 1 < len(pictures) else None,
        },
    )
    return context.no_store(response)


def _prefill(request: MemberRequest) -> dict[str, str]:
    """What the composer starts with: a reused generation, a starter prompt, or the defaults.

    job: the one just ordered without JavaScript, so that prompt and options stay as they were.
    """
    starter = next(
        (one for one in catalogue.IMAGE_STARTERS if one.id == request.GET.get("prompt_id")), None
    )
    if starter:
        return {
            "prompt": starter.prompt,
            "style": starter.style,
            "aspect_ratio": starter.aspect_ratio,
        }
    try:
        reused = selectors.get_visible(
            member=request.member,
            generation_id=uuid.UUID(request.GET.get("reuse") or request.GET.get("job", "")),
        )
    except (ValueError, Generation.DoesNotExist):
        return {}
    if "prompt_only" in request.GET:
        return {"prompt": reused.prompt}
    return {
        "prompt": reused.prompt,
        "style": reused.style,
        "aspect_ratio": reused.aspect_ratio,
        "resolution": reused.resolution,
        "num_variants": str(reused.num_variants),
    }
