"""Pressing Generate, and what it will cost."""

from __future__ import annotations

from datetime import datetime
from typing import Any, BinaryIO, cast

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from creative_hub import cards, selectors
from creative_hub.catalogue import Kind
from creative_hub.forms import FORMS, OrderForm, VideoForm
from creative_hub.models import Generation
from creative_hub.services import frames, quoting, submission, switches
from creative_hub.views import context, video_options
from creative_hub.views.pages import studio_page
from workspaces.access import MemberRequest, member_required
from workspaces.roles import Permission


@require_POST
@member_required(Permission.GENERATE)
def generate(request: MemberRequest, kind: Kind) -> HttpResponse:
    """Queue the order. One press is one job, however often its request arrives."""
    make_form = FORMS[kind]
    if notice := context.moved(request):
        form = make_form(request.POST, member=request.member)
        return _notice(request, form, status=409, notice=notice)
    given, upload_error = _with_upload(request) if kind == Kind.VIDEO else (request.POST, "")
    if "update_price" in given or "remove_frame" in given:
        # Without JavaScript: the page again, as it is filled in.
        frame = {"start_frame_id": ""} if "remove_frame" in given else {}
        form = make_form(member=request.member, initial=given.dict() | frame)
        return studio_page(request, form=form, frame_error=upload_error)
    form = make_form(given, member=request.member)
    if request.POST.get("account") and "shown_credits" not in request.POST:
        # The page sends both, and the price after the picture: the end of it was lost on the way.
        return _notice(request, form, status=400, notice="cut")
    key = request.POST.get("submission_key", "")
    if not submission.is_usable_key(key):
        key = context.new_submission_key()
    if upload_error:
        form.is_valid()
        form.add_error("start_frame_id", upload_error)
    if not form.is_valid():
        return _invalid(request, form, key)
    now = timezone.now()
    order = form.order()
    if price_seen := request.POST.get("shown_credits", ""):
        # Never at another price than the one on the button. Repeating an order is no new order.
        price = quoting.quote(member=request.member, sale=order.sale, now=now)
        if price_seen != str(price.credits) and not context.ordered_with(
            key, member=request.member
        ):
            return _notice(request, form, status=409, notice="price", key=key)
    try:
        generation = submission.submit(
            member=request.member, request=order, submission_key=key, now=now
        )
    except submission.CreditsRefused as refusal:
        return _notice(request, form, status=402, notice="refused", refusal=refusal, key=key)
    except submission.SubmissionKeyReused:
        first = context.ordered_with(key, member=request.member)
        return _notice(request, form, status=422, notice="key_reused", first=first)
    except submission.ProviderUnavailable:
        return _notice(request, form, status=503, notice="unavailable")
    if not request.htmx:
        page = reverse(f"creative_hub:{kind}_studio")
        return see_other(f"{page}?job={generation.pk}#gen-{generation.pk}")
    return _accepted(request, form, generation, now=now)


def _accepted(
    request: MemberRequest, form: OrderForm, generation: Generation, *, now: datetime
) -> HttpResponse:
    shown = selectors.get_visible(member=request.member, generation_id=generation.pk)
    [card] = cards.cards(generations=[shown], member=request.member, now=now)
    line = request.POST.get("line", "") or context.line_of([card])
    response = render(
        request,
        "creative_hub/_accepted.html",
        {
            **context.studio(form.kind),
            "card": card,
            # A list that was narrowed does not show what it would not show after a reload.
            "is_listed": request.POST.get("list", "all") in {"all", "in-progress"},
            "quote": quoting.quote(member=request.member, sale=form.order().sale, now=now),
            # Only a poll answer may advance the revision: the page keeps the one it sent.
            **context.poller(
                request, kind=form.kind, since=context.known_revision(request), line=line
            ),
            "submission_key": context.new_submission_key(),
        },
        status=202,
    )
    return context.no_store(response)


def _with_upload(request: MemberRequest) -> tuple[QueryDict, str]:
    """What was sent, with a picture that came along kept as the start frame; and why it was not.

    Without JavaScript the picture is sent with the order.
    """
    file = request.FILES.get("image")
    if file is None:
        return request.POST, ""
    given = request.POST.copy()
    try:
        asset = frames.take_upload(
            member=request.member,
            file=cast(BinaryIO, file),
            name=file.name or "",
            now=timezone.now(),
        )
    except frames.FrameRefused as refused:
        return given, str(refused)
    except OSError:
        return given, frames.NOT_TAKEN
    given["start_frame_id"] = str(asset.id)
    return given, ""


@require_safe
@member_required(Permission.OPEN_HUB)
def quote(request: MemberRequest, kind: Kind) -> HttpResponse:
    """The price of the options as they stand; for clips also what the provider makes of them."""
    given = request.GET.copy()
    said: dict[str, str] = {}
    made_by = VideoForm.made_by(given)
    is_other_provider = kind == Kind.VIDEO and given.get("options_for") != made_by.value
    if is_other_provider:
        chosen = {name: given.get(name, "") for name in ("duration", "aspect_ratio")}
        said = video_options.adjusted(made_by, chosen)
        given.update(chosen)
    form = FORMS[kind](member=request.member, initial=given.dict())
    response = render(
        request,
        f"creative_hub/_{kind}_quote.html",
        {
            **context.composer(member=request.member, form=form, now=timezone.now()),
            "is_other_provider": is_other_provider,
            "said": said,
            "announcement": " ".join(said.values()),
        },
    )
    return context.no_store(response)


def see_other(address: str) -> HttpResponse:
    """303: go there with a GET, whatever this request was."""
    response = redirect(address)
    response.status_code = 303
    return response


def _invalid(request: MemberRequest, form: OrderForm, key: str) -> HttpResponse:
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


def _notice(
    request: MemberRequest,
    form: OrderForm,
    *,
    status: int,
    notice: str,
    key: str | None = None,
    refusal: submission.CreditsRefused | None = None,
    first: Generation | None = None,
) -> HttpResponse:
    """Say why nothing was ordered, beside the form and without touching what it holds."""
    said: dict[str, Any] = {
        "notice": notice,
        "refusal": refusal,
        "first": first,
        "figures": refusal.figures if refusal else None,
    }
    if not request.htmx:
        return studio_page(request, form=form, status=status, submission_key=key, **said)
    said |= context.studio(form.kind)
    if notice == "unavailable":
        said["served"] = switches.availability(provider=form.order().provider)
    if notice == "key_reused":
        said["submission_key"] = context.new_submission_key()
    if notice in {"refused", "price"}:
        said["quote"] = quoting.quote(
            member=request.member, sale=form.order().sale, now=timezone.now()
        )
        said["priced"] = " ".join(str(form.cleaned_data[name]) for name in form.PRICED)
    response = render(request, "creative_hub/_notice_swap.html", said, status=status)
    return context.no_store(response)
