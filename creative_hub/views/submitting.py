"""Pressing Generate, and what it will cost."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from creative_hub import cards, catalogue, registry, selectors
from creative_hub.forms import ImageForm
from creative_hub.models import Generation
from creative_hub.services import submission
from creative_hub.views import context
from creative_hub.views.pages import studio_page
from workspaces.access import MemberRequest, member_required
from workspaces.roles import Permission


@require_POST
@member_required(Permission.GENERATE)
def generate(request: MemberRequest) -> HttpResponse:
    """Queue the order. One press is one job, however often its request arrives."""
    if "update_price" in request.POST:
        return studio_page(request, form=ImageForm(initial=request.POST.dict()))
    form = ImageForm(request.POST)
    # Changed in another tab: the page shows one balance and would spend another.
    if request.POST.get("account", "") not in {"", str(request.member.user_id)}:
        return _notice(request, form, status=409, kind="other_account")
    if request.POST.get("workspace", "") not in {"", str(request.member.workspace_id)}:
        return _notice(request, form, status=409, kind="switched")
    key = request.POST.get("submission_key", "")
    if not submission.is_usable_key(key):
        key = context.new_submission_key()
    if not form.is_valid():
        return _invalid(request, form, key)
    now = timezone.now()
    order = form.order()
    if price_seen := request.POST.get("shown_credits", ""):
        # Never at another price than the one on the button. Repeating an order is no new order.
        price = submission.quote(member=request.member, num_variants=order.num_variants, now=now)
        if price_seen != str(price.credits) and not context.ordered_with(
            key, member=request.member
        ):
            return _notice(request, form, status=409, kind="price", key=key)
    try:
        generation = submission.submit(
            member=request.member, request=order, submission_key=key, now=now
        )
    except submission.CreditsRefused as refusal:
        return _refused(request, form, key, refusal)
    except submission.SubmissionKeyReused:
        return _notice(
            request,
            form,
            status=422,
            kind="key_reused",
            first=context.ordered_with(key, member=request.member),
        )
    except submission.ProviderUnavailable:
        return _notice(request, form, status=503, kind="unavailable")
    if not request.htmx:
        page = reverse("creative_hub:image_studio")
        return see_other(f"{page}?job={generation.pk}#gen-{generation.pk}")
    shown = selectors.get_visible(member=request.member, generation_id=generation.pk)
    [card] = cards.cards(generations=[shown], member=request.member, now=now)
    response = render(
        request,
        "creative_hub/_accepted.html",
        {
            "card": card,
            # A list that was narrowed does not show what it would not show after a reload.
            "is_listed": request.POST.get("list", "all") in {"all", "in-progress"},
            "quote": submission.quote(
                member=request.member, num_variants=order.num_variants, now=now
            ),
            # Only a poll answer may advance the revision: the page keeps the one it sent.
            **context.poller(request, since=context.known_revision(request)),
            "submission_key": context.new_submission_key(),
        },
        status=202,
    )
    return context.no_store(response)


@require_safe
@member_required(Permission.OPEN_HUB)
def quote(request: MemberRequest) -> HttpResponse:
    """The price of the options as they stand."""
    form = ImageForm(request.GET)
    response = render(
        request,
        "creative_hub/_quote.html",
        context.composer(member=request.member, form=form, now=timezone.now()),
    )
    return context.no_store(response)


def see_other(address: str) -> HttpResponse:
    """303: go there with a GET, whatever this request was."""
    response = redirect(address)
    response.status_code = 303
    return response


def _invalid(request: MemberRequest, form: ImageForm, key: str) -> HttpResponse:
    if not request.htmx:
        return studio_page(request, form=form, status=400, submission_key=key)
    response = render(
        request,
        "creative_hub/_composer.html",
        context.composer(member=request.member, form=form, now=timezone.now(), submission_key=key),
        status=400,
    )
    response["HX-Retarget"] = "#composer"
    response["HX-Reswap"] = "outerHTML"
    return context.no_store(response)


def _refused(
    request: MemberRequest, form: ImageForm, key: str, refusal: submission.CreditsRefused
) -> HttpResponse:
    return _notice(request, form, status=402, kind="refused", refusal=refusal, key=key)


def _notice(
    request: MemberRequest,
    form: ImageForm,
    *,
    status: int,
    kind: str,
    refusal: submission.CreditsRefused | None = None,
    key: str | None = None,
    first: Generation | None = None,
) -> HttpResponse:
    """Say why nothing was ordered, beside the form and without touching what it holds."""
    notice: dict[str, Any] = {
        "notice": kind,
        "refusal": refusal,
        "first": first,
        "figures": refusal.figures if refusal else None,
        "served": registry.availability(provider=catalogue.IMAGE.provider),
    }
    if not request.htmx:
        return studio_page(request, form=form, status=status, submission_key=key, **notice)
    if kind == "key_reused":
        notice["submission_key"] = context.new_submission_key()
    if refusal or kind == "price":
        notice["quote"] = submission.quote(
            member=request.member, num_variants=form.order().num_variants, now=timezone.now()
        )
    response = render(request, "creative_hub/_notice_swap.html", notice, status=status)
    return context.no_store(response)
