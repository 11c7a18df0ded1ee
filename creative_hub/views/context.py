"""What the templates of a studio are given."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse

from creative_hub import cards, catalogue, registry, selectors
from creative_hub.forms import ImageForm
from creative_hub.models import Generation
from creative_hub.services import submission
from workspaces.access import MemberRequest
from workspaces.selectors import Member

KIND = catalogue.Kind.IMAGE


def no_store(response: HttpResponse) -> HttpResponse:
    """Pages show balances and live jobs: no copy of them is ever right later."""
    response["Cache-Control"] = "no-store"
    response["Vary"] = "HX-Request, Cookie"
    return response


def new_submission_key() -> str:
    return str(uuid.uuid4())


def composer(
    *,
    member: Member,
    form: ImageForm,
    now: datetime,
    submission_key: str | None = None,
) -> dict[str, Any]:
    """The composer's context: the form as filled, its price, and a key for its next press."""
    served = registry.availability(provider=catalogue.IMAGE.provider)
    chosen = _chosen(form)
    return {
        "studio": catalogue.IMAGE,
        "form": form,
        "chosen": chosen,
        # A style that only the API can name, on a generation that is reused here.
        "custom_style": "" if chosen["style"] in _preset_styles() else chosen["style"],
        "sizes": _sizes(chosen["aspect_ratio"]),
        "quote": submission.quote(
            member=member, num_variants=_variants(chosen["num_variants"]), now=now
        ),
        "submission_key": submission_key or new_submission_key(),
        "served": served,
        "may_generate": member.may_generate,
        "prompt_max": catalogue.PROMPT_MAX_CHARS,
        "style_max": catalogue.STYLE_MAX_CHARS,
        "usual": cards.duration(
            selectors.usual_s(
                provider=catalogue.IMAGE.provider,
                resolution=chosen["resolution"],
                is_sandbox=served.is_sandbox,
            )
            or catalogue.IMAGE.usual_s
        ),
    }


def poller(request: MemberRequest, *, since: int | None) -> dict[str, Any]:
    """The poller's context. since: the revision the page will ask from (see docs/adr/0003:
    only a poll answer may advance it)."""
    in_flight = selectors.in_flight(member=request.member, kind=KIND)
    # Read after the count: a job that ended in between is news the page still has to fetch.
    is_behind = since != selectors.revision(workspace_id=request.member.workspace_id)
    return {
        "revision": since,
        "in_flight": in_flight,
        "is_polling": bool(in_flight) or is_behind,
        "polling_interval_ms": catalogue.POLLING_INTERVAL_MS,
    }


def price_shown(request: MemberRequest, *, now: datetime) -> dict[str, Any]:
    """The quote for what the page's composer is set to, to be shown with a new balance.

    Empty when the page has no composer, or is older than this.
    """
    given = request.POST.get("num_variants") or request.GET.get("num_variants")
    if given is None or not request.member.may_generate:
        return {}
    return {
        "quote": submission.quote(member=request.member, num_variants=_variants(given), now=now)
    }


def ordered_with(submission_key: str, *, member: Member) -> Generation | None:
    """What this member ordered with a key, if anything."""
    return (
        selectors.visible_to(member)
        .filter(membership_id=member.membership_id, submission_key=submission_key)
        .first()
    )


def known_revision(request: HttpRequest) -> int | None:
    """The revision the page says it shows, or None."""
    given = request.POST.get("v") or request.GET.get("v") or ""
    # Unicode has digits that int() takes and PostgreSQL's bigint does not hold.
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None


def _preset_styles() -> set[str]:
    return {style.value for style in catalogue.IMAGE.styles}


def _sizes(aspect_ratio: str) -> list[dict[str, object]]:
    """What each resolution means in pixels, for a ratio or, if there is no such, the default."""
    offered = {ratio.value for ratio in catalogue.IMAGE.ratios}
    known = aspect_ratio if aspect_ratio in offered else catalogue.IMAGE.default_ratio
    return [
        {"value": one.value, "pixels": "{} × {}".format(*ratio.size(one.short_side_px))}
        for ratio in [catalogue.IMAGE.ratio(known)]
        for one in catalogue.IMAGE.resolutions
    ]


def _variants(given: str) -> int:
    """How many pictures to quote for, whatever was sent."""
    offered = {str(one): one for one in catalogue.IMAGE.variants}
    return offered.get(given, catalogue.IMAGE.default_variants)


def _chosen(form: ImageForm) -> dict[str, str]:
    """The value each control shows: as sent, else as reused, else the default."""
    return {
        name: str(form[name].value() or ("" if name in {"prompt", "style"} else field.initial))
        for name, field in form.fields.items()
    }
