"""What happens on the cards: the poll, and the small actions."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
import textwrap
import uuid
import zipfile
from datetime import datetime

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from assets import selectors as asset_selectors
from assets import storage
from creative_hub import cards, selectors
from creative_hub.catalogue import Kind
from creative_hub.models import Generation
from creative_hub.services import submission
from creative_hub.views import context
from workspaces.access import MemberRequest, member_required
from workspaces.roles import Permission


@require_safe
@member_required(Permission.OPEN_HUB)
def poll(request: MemberRequest) -> HttpResponse:
    """What changed since the revision the page shows: 204 when nothing did."""
    now = timezone.now()
    kind = context.kind_of(request)
    since = context.known_revision(request)
    changes = selectors.changes(member=request.member, kind=kind, since=since, now=now)
    changed = changes.generations if changes else []
    known_line = request.GET.get("line", "")
    line, moved = _line(request, kind, known_line, now=now) if known_line else ("", [])
    if changes is None and not moved:
        return context.no_store(HttpResponse(status=204))
    known = {one.pk for one in changed}
    drawn = [*changed, *(one for one in moved if one.pk not in known)]
    shown = [one for one in drawn if one.removed_at is None]
    fresh = cards.cards(generations=shown, member=request.member, now=now)
    ended = [card for card in fresh if not card.is_live and _is_recent(card, now)]
    response = render(
        request,
        "creative_hub/_changes.html",
        {
            "cards": fresh,
            "removed": [one for one in changed if one.removed_at],
            "announcement": _announcement(ended),
            "ready": [card for card in ended if card.state == "completed"],
            **context.price_shown(request, kind=kind, now=now),
            **context.poller(
                request,
                kind=kind,
                since=changes.revision if changes else since,
                line=line or context.line_of(fresh),
            ),
        },
    )
    return context.no_store(response)


def _line(
    request: MemberRequest, kind: Kind, known: str, *, now: datetime
) -> tuple[str, list[Generation]]:
    """What the page is to know of places in line from now on, and the cards whose place moved.

    Only a page that shows places asks; see context.line_of.
    """
    waiting = selectors.in_line(member=request.member, kind=kind)
    places = cards.places(waiting, now=now)
    line = ",".join(f"{one.pk.hex[:8]}-{places[one.pk]}" for one in waiting if one.pk in places)
    return line, waiting if line != known else []


@require_POST
@member_required(Permission.GENERATE)
def cancel(request: MemberRequest, generation_id: uuid.UUID) -> HttpResponse:
    """Stop a job that has not started."""
    is_late = False
    try:
        cancelled = submission.cancel(
            generation_id=generation_id,
            visible=selectors.visible_to(request.member),
            now=timezone.now(),
        )
    except Generation.DoesNotExist:
        raise Http404 from None
    except submission.NotCancellable:
        is_late = True
    if is_late:
        said = "It has already started and cannot be cancelled."
        return _card_answer(request, generation_id, said=said, is_refusal=True)
    if not cancelled.is_cancelled:
        return _card_answer(request, generation_id, said="Asked the provider to stop it.")
    return _card_answer(request, generation_id, said="Cancelled. No credits charged.")


@require_POST
@member_required(Permission.GENERATE)
def remove(request: MemberRequest, generation_id: uuid.UUID) -> HttpResponse:
    """Take an ended card off the page; what stands in its place offers to put it back."""
    return _set_removed(request, generation_id, removed_at=timezone.now())


@require_POST
@member_required(Permission.GENERATE)
def restore(request: MemberRequest, generation_id: uuid.UUID) -> HttpResponse:
    """Put a removed card back."""
    return _set_removed(request, generation_id, removed_at=None)


@require_safe
@member_required(Permission.OPEN_HUB)
def download_set(request: MemberRequest, generation_id: uuid.UUID) -> FileResponse:
    """All originals of one generation in a zip."""
    try:
        generation = selectors.get_visible(member=request.member, generation_id=generation_id)
    except Generation.DoesNotExist:
        raise Http404 from None
    known = asset_selectors.by_ids(selectors.asset_ids([generation]))
    jobs = sorted(generation.jobs.all(), key=lambda job: job.variant)
    infos = [known[job.asset_id] for job in jobs if job.asset_id in known]
    if not infos:
        raise Http404
    bundle = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_STORED) as archive:
        for info in infos:
            name = storage.original_name(folder=info.folder, extension=info.extension)
            with (
                storage.open_file(name=name) as original,
                archive.open(info.download_name, "w", force_zip64=True) as member,
            ):
                shutil.copyfileobj(original, member, 2**20)
    bundle.seek(0)
    # As its files are called, in the plural and without the variant.
    stem = infos[0].download_name.rpartition("-v")[0]
    name = stem.replace(f"-{generation.kind}-", f"-{generation.kind}s-", 1) + ".zip"
    return FileResponse(bundle, as_attachment=True, filename=name)


def _set_removed(
    request: MemberRequest, generation_id: uuid.UUID, *, removed_at: datetime | None
) -> HttpResponse:
    try:
        submission.set_removed(
            generation_id=generation_id,
            membership_id=request.member.membership_id,
            visible=selectors.visible_to(request.member),
            removed_at=removed_at,
        )
    except Generation.DoesNotExist:
        raise Http404 from None
    said = "Removed from this page." if removed_at else "Put back."
    return _card_answer(request, generation_id, said=said)


def _card_answer(
    request: MemberRequest, generation_id: uuid.UUID, *, said: str, is_refusal: bool = False
) -> HttpResponse:
    """The card as it is now. The revision stays: only a poll answer may advance it."""
    generation = selectors.get_visible(member=request.member, generation_id=generation_id)
    if not request.htmx:
        (messages.warning if is_refusal else messages.success)(request, said)
        return redirect(f"creative_hub:{generation.kind}_studio")
    now = timezone.now()
    kind = Kind(generation.kind)
    [card] = cards.cards(generations=[generation], member=request.member, now=now)
    if is_refusal:
        card = dataclasses.replace(card, note=said)
    response = render(
        request,
        "creative_hub/_acted.html",
        {
            "card": card,
            "is_removed": generation.removed_at is not None,
            "announcement": said,
            **context.price_shown(request, kind=kind, now=now),
            **context.poller(
                request,
                kind=kind,
                since=context.known_revision(request),
                line=request.POST.get("line", "") or context.line_of([card]),
            ),
        },
        status=409 if is_refusal else 200,
    )
    return context.no_store(response)


def _is_recent(card: cards.Card, now: datetime) -> bool:
    """Whether it ended since about the last poll: old news is not announced."""
    ended_at = card.generation.completed_at
    return ended_at is not None and (now - ended_at).total_seconds() < 60


def _announcement(ended: list[cards.Card]) -> str:
    """Several events in one poll become one sentence."""
    done = [card for card in ended if card.state == "completed"]
    lost = [card for card in ended if card.state == "failed"]
    if len(done) == 1 and not lost:
        return f"{done[0].label} finished: {_start(done[0].generation.prompt)}"
    if len(lost) == 1 and not done:
        return f"Failed, no credits charged: {_start(lost[0].generation.prompt)}"
    parts = []
    if done:
        parts.append(f"{len(done)} jobs finished" if len(done) > 1 else "1 job finished")
    if lost:
        parts.append(f"{len(lost)} failed, not charged")
    return ", ".join(parts) + "." if parts else ""


def _start(prompt: str) -> str:
    """The beginning of a prompt, to be read aloud."""
    return textwrap.shorten(prompt, width=80, placeholder="…")
