"""What a card says: a generation turned into the words and figures of the page.

Templates only lay these out; no template counts, compares or words a state.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from assets import selectors as asset_selectors
from assets.ingest import AssetInfo
from creative_hub import catalogue, line, selectors
from creative_hub.line import Lane
from creative_hub.models import Generation, ProviderJob, Status
from creative_hub.services import switches
from workspaces.selectors import Member

ALT_PROMPT_CHARS = 100
# The bar of an estimate never claims to be done.
PROGRESS_MAX = 95


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One delivered variant on a card: a picture, or a clip shown by its poster."""

    asset: AssetInfo
    variant: int
    title: str
    alt: str

    @property
    def is_clip(self) -> bool:
        return self.asset.duration_s is not None

    @property
    def clock(self) -> str:
        """How long the clip is: 0:05."""
        return clock(self.asset.duration_s or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One generation as the page shows it.

    state: queued, processing, completed, failed or cancelled. place: in the provider's line, from
    1; None when it is not waiting for its turn. results: what was delivered.
    frames: a place for each variant in order, None while it is still on its way. elapsed_s and
    expected_s: whole seconds since it was ordered and as it usually takes.
    """

    generation: Generation
    state: str
    label: str
    receipt: str
    chips: tuple[str, ...]
    results: tuple[Result, ...]
    frames: tuple[Result | None, ...]
    elapsed_s: int
    expected_s: int
    place: int | None
    took: str
    note: str
    maker: str
    may_act: bool
    may_cancel: bool
    may_remove: bool

    @property
    def is_live(self) -> bool:
        return self.state in {"queued", "processing"}

    @property
    def ordered_at(self) -> str:
        """When it was ordered, as the number that cards are sorted by."""
        return f"{self.generation.created_at.timestamp():.6f}"

    @property
    def studio_url(self) -> str:
        """The page of the studio it was ordered in."""
        return reverse(f"creative_hub:{self.generation.kind}_studio")

    @property
    def is_overdue(self) -> bool:
        return self.state == "processing" and self.elapsed_s > 2 * self.expected_s

    @property
    def expected(self) -> str:
        return duration(self.expected_s)

    @property
    def elapsed_clock(self) -> str:
        """0:42"""
        return clock(self.elapsed_s)

    @property
    def progress(self) -> int:
        """Percent of the usual time that has passed."""
        return min(PROGRESS_MAX, 100 * self.elapsed_s // max(1, self.expected_s))

    @property
    def ratio_class(self) -> str:
        return "r-" + self.generation.aspect_ratio.replace(":", "x")

    @property
    def count_class(self) -> str:
        """How many frames the stage lays out: n-4."""
        return f"n-{len(self.frames)}"


def cards(
    *, generations: Sequence[Generation], member: Member, now: datetime, with_places: bool = True
) -> list[Card]:
    """The cards of generations that were read with their jobs, in the same order.

    with_places: also where each stands in line, which is asked for every one that waits.
    """
    assets = asset_selectors.by_ids(selectors.asset_ids(generations))
    sorts = {selectors.sort_of(one) for one in generations}
    expected = {sort: selectors.expected_s(sort) for sort in sorts}
    in_line = places(generations, now=now) if with_places else {}
    return [
        _card(
            one,
            assets=assets,
            expected_s=expected[selectors.sort_of(one)],
            place=in_line.get(one.pk),
            member=member,
            now=now,
        )
        for one in generations
    ]


def places(generations: Sequence[Generation], *, now: datetime) -> dict[uuid.UUID, int]:
    """Where those stand that wait for a provider whose places are all taken, from 1."""
    lanes = {
        Lane(one.provider, one.is_sandbox)
        for one in generations
        if one.status == Status.QUEUED
        and any(job.state == ProviderJob.State.WAITING and not job.waits for job in one.jobs.all())
    }
    shown = [one.pk for one in generations]
    found: dict[uuid.UUID, int] = {}
    for lane in lanes:
        if not switches.room(lane):
            found |= line.places(lane, generation_ids=shown, now=now)
    return found


def clock(seconds: float) -> str:
    """0:42"""
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02}"


def duration(seconds: float) -> str:
    """A length of time as people say it: 21 s, 1 min 38 s."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"


def _card(
    generation: Generation,
    *,
    assets: Mapping[uuid.UUID, AssetInfo],
    expected_s: int,
    place: int | None,
    member: Member,
    now: datetime,
) -> Card:
    jobs = sorted(generation.jobs.all(), key=lambda job: job.variant)
    took_s = ((generation.completed_at or now) - generation.created_at).total_seconds()
    # The clock of what is under way begins with its turn: time in line is nobody's slowness.
    elapsed_s = (now - (generation.started_at or generation.created_at)).total_seconds()
    is_mine = generation.membership_id == member.membership_id
    results = _results(generation, jobs, assets)
    return Card(
        generation=generation,
        state=_state(generation),
        label=_label(generation),
        receipt=_receipt(generation),
        chips=_chips(generation),
        results=results,
        frames=_frames(jobs, results),
        elapsed_s=max(0, int(elapsed_s)),
        expected_s=expected_s,
        place=place,
        took=duration(took_s) if generation.completed_at else "",
        note=_note(generation, jobs),
        maker="" if is_mine else generation.membership.user.email,
        may_act=member.may_generate,
        may_remove=is_mine and member.may_generate,
        may_cancel=member.may_generate and generation.is_live and _is_cancellable(generation, jobs),
    )


def _is_cancellable(generation: Generation, jobs: Sequence[ProviderJob]) -> bool:
    """Whether nothing of it has begun, with us or at a provider that can still stop it."""
    if all(job.state == ProviderJob.State.WAITING for job in jobs):
        return True
    return generation.cancel_asked_at is None and all(job.is_queued_upstream for job in jobs)


def _state(generation: Generation) -> str:
    return "cancelled" if generation.is_cancelled else generation.status


def _label(generation: Generation) -> str:
    if generation.is_cancelled:
        return "Cancelled"
    if generation.status == Status.PROCESSING:
        return "Generating"
    if generation.status == Status.COMPLETED:
        if generation.is_clip:
            return "Clip"
        if generation.delivered < generation.num_variants:
            return f"{generation.delivered} of {images(generation.num_variants)}"
        return images(generation.delivered)
    return Status(generation.status).label


def _receipt(generation: Generation) -> str:
    """385 held → 385 charged."""
    held, charged = generation.credits_estimated, generation.credits_charged
    if charged is None:
        return f"{held:,} credits held"
    if charged == 0:
        return f"{held:,} held → released, not charged"
    if charged < held:
        return f"{held:,} held → {charged:,} charged, {held - charged:,} released"
    return f"{held:,} held → {charged:,} charged"


def _chips(generation: Generation) -> tuple[str, ...]:
    if generation.is_clip:
        made_by = catalogue.provider_label(generation.provider)
        frame = ("Start frame",) if generation.has_frame else ()
        return (made_by, f"{generation.duration_s} s", generation.aspect_ratio, *frame)
    style = next(
        (one.label for one in catalogue.IMAGE.styles if one.value == generation.style),
        generation.style,
    )
    size = f"{generation.width} × {generation.height}"
    return (*([style] if generation.style else []), generation.aspect_ratio, size)


def _results(
    generation: Generation, jobs: Sequence[ProviderJob], assets: Mapping[uuid.UUID, AssetInfo]
) -> tuple[Result, ...]:
    prompt = generation.prompt[:ALT_PROMPT_CHARS]
    total = generation.num_variants
    alone = "Clip" if generation.is_clip else "Picture"
    return tuple(
        Result(
            asset=assets[job.asset_id],
            variant=job.variant,
            title=f"Variant {job.variant} of {total}" if total > 1 else alone,
            alt=f"Variant {job.variant} of {total}: {prompt}" if total > 1 else prompt,
        )
        for job in jobs
        if job.asset_id is not None and job.asset_id in assets
    )


def _frames(jobs: Sequence[ProviderJob], results: Sequence[Result]) -> tuple[Result | None, ...]:
    delivered = {result.variant: result for result in results}
    return tuple(
        delivered.get(job.variant)
        for job in jobs
        if job.variant in delivered or job.state not in ProviderJob.TERMINAL
    )


def _note(generation: Generation, jobs: Sequence[ProviderJob]) -> str:
    """The one more thing a card says about how it went."""
    if generation.is_live:
        return _live_note(generation, jobs)
    missing = generation.num_variants - generation.delivered
    if generation.status == Status.COMPLETED and missing:
        return f"{images(missing).capitalize()} could not be made and {_was(missing)} not charged."
    return ""


def _live_note(generation: Generation, jobs: Sequence[ProviderJob]) -> str:
    if any(job.state == ProviderJob.State.UNKNOWN for job in jobs):
        return "Checking with the provider. This can take a while; it is charged only if it comes."
    if generation.cancel_asked_at:
        return "Asking the provider to stop it."
    if generation.is_frame_unfetched:
        return "Fetching the start frame."
    if any(job.state == ProviderJob.State.WAITING and job.waits for job in jobs):
        return "The provider is busy. We keep trying by ourselves."
    return ""


def _was(count: int) -> str:
    return "was" if count == 1 else "were"
