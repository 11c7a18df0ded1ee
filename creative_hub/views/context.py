"""What the templates of a studio are given."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from creative_hub import cards, catalogue, selectors
from creative_hub.catalogue import Kind
from creative_hub.forms import FORMS, OrderForm, VideoForm
from creative_hub.models import Generation
from creative_hub.services import quoting, switches
from creative_hub.views import video_options
from workspaces.access import MemberRequest
from workspaces.selectors import Member

STUDIOS = {Kind.IMAGE: catalogue.IMAGE, Kind.VIDEO: catalogue.VIDEO}


def no_store(response: HttpResponse) -> HttpResponse:
    """Pages show balances and live jobs: no copy of them is ever right later."""
    response["Cache-Control"] = "no-store"
    response["Vary"] = "HX-Request, Cookie"
    return response


def new_submission_key() -> str:
    return str(uuid.uuid4())


def studio(kind: Kind) -> dict[str, Any]:
    """Which studio this is, and where its pages and forms are."""
    return {
        "studio": STUDIOS[kind],
        "kind": kind.value,
        "studio_url": reverse(f"creative_hub:{kind}_studio"),
        "generate_url": reverse(f"creative_hub:{kind}_generate"),
        "quote_url": reverse(f"creative_hub:{kind}_quote"),
        "options_template": f"creative_hub/_{kind}_options.html",
    }


def composer(
    *,
    member: Member,
    form: OrderForm,
    now: datetime,
    submission_key: str | None = None,
) -> dict[str, Any]:
    """The composer's context: the form as filled, its price, and a key for its next press."""
    chosen = _chosen(form)
    if isinstance(form, VideoForm):
        options = video_options.build(form, chosen, now=now)
    else:
        options = _image_options(chosen)
    return {
        **studio(form.kind),
        "form": form,
        "chosen": chosen,
        "quote": quoting.quote(member=member, sale=form.sale(chosen), now=now),
        "priced": " ".join(chosen[name] for name in form.PRICED),
        "submission_key": submission_key or new_submission_key(),
        "may_generate": member.may_generate,
        "prompt_max": catalogue.PROMPT_MAX_CHARS,
        **options,
    }


def poller(request: MemberRequest, *, kind: Kind, since: int | None, line: str) -> dict[str, Any]:
    """The poller's context. since: the revision the page will ask from (see docs/adr/0003:
    only a poll answer may advance it). line: what the page knows of places in line."""
    in_flight = selectors.in_flight(member=request.member, kind=kind)
    # Read after the count: a job that ended in between is news the page still has to fetch.
    is_behind = since != selectors.revision(workspace_id=request.member.workspace_id)
    return {
        "kind": kind.value,
        "revision": since,
        "line": line,
        "in_flight": in_flight,
        "is_polling": bool(in_flight) or is_behind,
        "polling_interval_ms": catalogue.POLLING_INTERVAL_MS,
    }


# A page that shows places in line, and has not yet been told by a poll what they are.
SOME_LINE = "?"


def line_of(shown: list[cards.Card]) -> str:
    """What a page with these cards knows of places in line: empty when it shows none.

    Places move without anything changing in the workspace, so such a page asks for them.
    """
    return SOME_LINE if any(card.place for card in shown) else ""


def price_shown(request: MemberRequest, *, kind: Kind, now: datetime) -> dict[str, Any]:
    """The quote for what the page's composer is set to, to be shown with a new balance.

    Empty when the page has no composer, or is older than this.
    """
    form = FORMS[kind]
    given = {name: request.POST.get(name) or request.GET.get(name) or "" for name in form.PRICED}
    if not all(given.values()) or not request.member.may_generate:
        return {}
    sale = form.sale(given)
    return {"quote": quoting.quote(member=request.member, sale=sale, now=now)}


def kind_of(request: HttpRequest) -> Kind:
    """Which studio's page asks; pictures' when it does not say."""
    given = request.POST.get("page") or request.GET.get("page") or ""
    return Kind(given) if given in set(Kind) else Kind.IMAGE


def moved(request: MemberRequest) -> str:
    """Whether the page acts for another account or workspace than it was opened in; how, if so.

    Changed in another tab: the page shows one balance and would spend another.
    """
    if request.POST.get("account", "") not in {"", str(request.member.user_id)}:
        return "other_account"
    if request.POST.get("workspace", "") not in {"", str(request.member.workspace_id)}:
        return "switched"
    return ""


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


def _image_options(chosen: Mapping[str, str]) -> dict[str, Any]:
    served = switches.availability(provider=catalogue.IMAGE.provider)
    sort = selectors.Sort(catalogue.IMAGE.provider, chosen["resolution"], None, served.is_sandbox)
    return {
        # A style that only the API can name, on a generation that is reused here.
        "custom_style": "" if chosen["style"] in _preset_styles() else chosen["style"],
        "sizes": _sizes(chosen["aspect_ratio"]),
        "style_max": catalogue.STYLE_MAX_CHARS,
        "served": served,
        "usual": cards.duration(selectors.expected_s(sort)),
    }


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


def _chosen(form: OrderForm) -> dict[str, str]:
    """The value each control shows: as sent, else as reused, else the default."""
    return {
        name: str(form[name].value() or field.initial or "") for name, field in form.fields.items()
    }
