"""The pages themselves."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from assets import selectors as asset_selectors
from creative_hub import cards, catalogue, selectors
from creative_hub.catalogue import Kind
from creative_hub.forms import FORMS, OrderForm
from creative_hub.models import Generation
from creative_hub.views import context, prefill
from wevion.lib.cursors import BadCursor
from workspaces.access import MemberRequest, member_required
from workspaces.roles import Permission


@require_safe
@member_required(Permission.OPEN_HUB)
def home(request: MemberRequest) -> HttpResponse:
    return redirect("creative_hub:image_studio")


@require_safe
@member_required(Permission.OPEN_HUB)
def studio(request: MemberRequest, kind: Kind) -> HttpResponse:
    """A studio: its composer, and what was made in it."""
    filled = prefill.initial(request, kind)
    said = prefill.said(request, filled) if kind == Kind.VIDEO else {}
    return studio_page(request, form=FORMS[kind](member=request.member, initial=filled), said=said)


def studio_page(
    request: MemberRequest,
    *,
    form: OrderForm,
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
            kind=form.kind,
            narrowed_to=narrowed_to,
            cursor=request.GET.get("before", ""),
        )
    except BadCursor:
        raise Http404 from None
    shown = cards.cards(generations=page.generations, member=member, now=now)
    response = render(
        request,
        "creative_hub/studio.html",
        {
            **context.composer(member=member, form=form, now=now, submission_key=submission_key),
            **context.poller(request, kind=form.kind, since=revision, line=context.line_of(shown)),
            "cards": shown,
            "next_cursor": page.next_cursor,
            "narrowed_to": narrowed_to,
            "filters": FILTER_LABELS,
            "starters": catalogue.STARTERS[form.kind],
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
    position = next(index for index, one in enumerate(card.results) if one.asset.id == asset.id)
    results = card.results
    template = "creative_hub/_viewer.html" if request.htmx else "creative_hub/asset_detail.html"
    response = render(
        request,
        template,
        {
            **context.studio(Kind(generation.kind)),
            "card": card,
            "result": results[position],
            "maker": catalogue.provider_label(generation.provider),
            "previous": results[position - 1] if position else None,
            "next": results[position + 1] if position + 1 < len(results) else None,
        },
    )
    return context.no_store(response)
