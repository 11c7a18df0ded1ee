"""A generation, and the upstream calls behind it. See docs/adr/0003-rows-and-doorbells.md."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q


class Status(models.TextChoices):
    """The four words of the contract, never a fifth."""

    QUEUED = "queued", "Queued"
    PROCESSING = "processing", "Processing"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"


LIVE = (Status.QUEUED, Status.PROCESSING)


class WorkspaceFeed(models.Model):
    """Counts every visible change in a workspace; a page that knows the number is up to date.

    Its row is locked last and until commit, so numbers become visible in the order in which they
    were given: a page that has seen 7 will never miss a 6.
    """

    workspace = models.OneToOneField(
        "workspaces.Workspace", on_delete=models.CASCADE, primary_key=True
    )
    revision = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.revision}"


class Generation(models.Model):
    """What a member asked for and sees: one request, one hold, up to four variants."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("workspaces.Workspace", on_delete=models.PROTECT)
    membership = models.ForeignKey("workspaces.Membership", on_delete=models.PROTECT)
    kind = models.CharField(max_length=5, choices=[("image", "Image"), ("video", "Video")])
    provider = models.CharField(max_length=32)
    is_sandbox = models.BooleanField(default=False)

    prompt = models.TextField()
    style = models.CharField(max_length=64, blank=True)
    aspect_ratio = models.CharField(max_length=5)
    resolution = models.CharField(max_length=5)
    num_variants = models.PositiveSmallIntegerField(default=1)
    # Seconds; a clip has it and a picture has not.
    duration_s = models.PositiveSmallIntegerField(null=True)
    # The picture a clip starts from: an asset, or until the worker has fetched it an address.
    start_frame = models.ForeignKey(
        "assets.Asset", null=True, on_delete=models.PROTECT, related_name="+"
    )
    start_frame_url = models.TextField(blank=True, default="", db_default="")
    # In pixels, as the catalogue said when it was ordered.
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()

    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    error_code = models.CharField(max_length=32, blank=True)
    error_message = models.TextField(blank=True)

    # The price row in force when it was ordered, and what it said: whole credits per variant.
    price = models.ForeignKey("credits.Price", on_delete=models.PROTECT)
    unit_credits = models.PositiveIntegerField()
    credits_estimated = models.PositiveIntegerField()
    credits_charged = models.PositiveIntegerField(null=True)
    delivered = models.PositiveSmallIntegerField(default=0)

    # One per press of Generate; a repeated one returns the first generation.
    submission_key = models.CharField(max_length=200)
    request_digest = models.CharField(max_length=64)

    revision = models.BigIntegerField()
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    # When somebody asked to stop it while it waited at the provider.
    cancel_asked_at = models.DateTimeField(null=True)
    # Its maker took the card off the page; receipt and files stay.
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "submission_key"], name="generation_one_per_submission_key"
            ),
            models.CheckConstraint(
                condition=Q(num_variants__gte=1, num_variants__lte=4),
                name="generation_has_one_to_four_variants",
            ),
            models.CheckConstraint(
                condition=Q(kind="video", duration_s__gt=0)
                | Q(
                    kind="image",
                    duration_s__isnull=True,
                    start_frame__isnull=True,
                    start_frame_url="",
                ),
                name="generation_only_clips_have_length_and_frame",
            ),
            models.CheckConstraint(
                condition=Q(credits_estimated=F("unit_credits") * F("num_variants")),
                name="generation_estimate_is_unit_times_variants",
            ),
            models.CheckConstraint(
                condition=Q(
                    status="queued",
                    started_at__isnull=True,
                    completed_at__isnull=True,
                    credits_charged__isnull=True,
                    error_code="",
                )
                | Q(
                    status="processing",
                    started_at__isnull=False,
                    completed_at__isnull=True,
                    credits_charged__isnull=True,
                    error_code="",
                )
                | Q(
                    status="completed",
                    completed_at__isnull=False,
                    delivered__gte=1,
                    credits_charged=F("unit_credits") * F("delivered"),
                    error_code="",
                )
                | (
                    Q(
                        status="failed",
                        completed_at__isnull=False,
                        delivered=0,
                        credits_charged=0,
                    )
                    & ~Q(error_code="")
                    & ~Q(error_message="")
                ),
                name="generation_state_is_honest",
            ),
        ]
        indexes = [
            # The studio page of owners and admins: the workspace's cards, newest first.
            models.Index(
                fields=["workspace", "kind", "-created_at", "-id"],
                condition=Q(removed_at__isnull=True),
                name="generation_newest_of_workspace",
            ),
            # The studio page of everybody else: the member's own cards, newest first.
            models.Index(
                fields=["membership", "kind", "-created_at", "-id"],
                condition=Q(removed_at__isnull=True),
                name="generation_newest_of_member",
            ),
            # The poll: what changed in the workspace since a revision.
            models.Index(fields=["workspace", "revision"], name="generation_changed_since"),
            # The poll and the page head: what is under way in the workspace.
            models.Index(
                fields=["workspace", "kind"],
                condition=Q(status__in=["queued", "processing"]),
                name="generation_live_of_workspace",
            ),
            # The usual time of a kind of job: the last ones that were completed.
            models.Index(
                fields=["provider", "is_sandbox", "resolution", "duration_s", "-completed_at"],
                condition=Q(status="completed"),
                name="generation_last_completed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id}"

    @property
    def hold_reference(self) -> str:
        """The name under which the ledger knows this generation."""
        return f"generation:{self.pk}"

    @property
    def is_clip(self) -> bool:
        return self.duration_s is not None

    @property
    def has_frame(self) -> bool:
        return self.start_frame_id is not None or bool(self.start_frame_url)

    @property
    def is_frame_unfetched(self) -> bool:
        """Whether its start frame is still an address."""
        return bool(self.start_frame_url) and self.start_frame_id is None

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def is_cancelled(self) -> bool:
        return self.error_code == "cancelled"


class ProviderJob(models.Model):
    """One upstream call for one variant: a narrow row, written at every step."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SUBMITTING = "submitting", "Submitting"
        RUNNING = "running", "Running"
        FETCHING = "fetching", "Fetching"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        UNKNOWN = "unknown", "Unknown"

    TERMINAL = (State.DONE, State.FAILED)
    # What takes one of the provider's places.
    UPSTREAM = (State.SUBMITTING, State.RUNNING)

    generation = models.ForeignKey(Generation, on_delete=models.CASCADE, related_name="jobs")
    variant = models.PositiveSmallIntegerField()
    provider = models.CharField(max_length=32)
    is_sandbox = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    external_id = models.CharField(max_length=64, unique=True)  # ours, sent along
    upstream_id = models.CharField(max_length=200, blank=True)  # theirs
    # Where the result waits, until it is stored. Signed and short-lived: never shown, never logged.
    result_url = models.TextField(blank=True)
    # When the present or last send began. NULL: the provider certainly has nothing.
    sent_at = models.DateTimeField(null=True)
    # How often we looked for what was sent since, and found nothing.
    looks = models.PositiveSmallIntegerField(default=0, db_default=0)
    # It waits in the provider's own line, and may still be cancelled there.
    is_queued_upstream = models.BooleanField(default=False, db_default=False)
    # NULL exactly when it has ended.
    next_action_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    # Counts claims; a worker that lost its lease finds another number and changes nothing.
    fence = models.PositiveIntegerField(default=0)
    # How often the present state was tried without a known outcome.
    attempt = models.PositiveSmallIntegerField(default=0)
    # How often the provider asked us to come back later.
    waits = models.PositiveSmallIntegerField(default=0)
    deadline_at = models.DateTimeField()
    # Why it failed: our class, then the provider's own words for admins.
    error_code = models.CharField(max_length=32, blank=True)
    raw_code = models.CharField(max_length=120, blank=True)
    raw_message = models.CharField(max_length=500, blank=True)
    request_id = models.CharField(max_length=120, blank=True)
    asset = models.ForeignKey("assets.Asset", null=True, on_delete=models.PROTECT)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["generation", "variant"], name="job_one_per_generation_and_variant"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["done", "failed"], next_action_at__isnull=True)
                | Q(
                    state__in=["waiting", "submitting", "running", "fetching", "unknown"],
                    next_action_at__isnull=False,
                ),
                name="job_next_action_until_it_ends",
            ),
            models.CheckConstraint(
                condition=~Q(state="done") | Q(asset__isnull=False), name="job_done_has_its_asset"
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | ~Q(error_code=""), name="job_failed_says_why"
            ),
        ]
        indexes = [
            # The tick: what is due, oldest first.
            models.Index(
                fields=["next_action_at"],
                condition=Q(next_action_at__isnull=False),
                name="job_due",
            ),
            # The line: who waits for a provider, and how many places are taken.
            models.Index(
                fields=["provider", "state"],
                condition=Q(state__in=["waiting", "submitting", "running"]),
                name="job_in_line_or_upstream",
            ),
            # The admin: what needs a person.
            models.Index(fields=["state"], condition=Q(state="unknown"), name="job_unknown"),
        ]

    def __str__(self) -> str:
        return self.external_id


class ProviderSwitch(models.Model):
    """What the operator lets a provider do, and what last stood in its way."""

    class Mode(models.TextChoices):
        OPEN = "open", "Open"
        DRAINING = "draining", "Draining: finishes what was ordered, takes no new orders"
        CLOSED = "closed", "Closed: sends nothing more, takes no new orders"

    provider = models.CharField(max_length=32, primary_key=True)
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.OPEN)
    # Jobs at the provider at the same time; the others wait in line.
    slots = models.PositiveIntegerField()
    # The last error that only an operator can mend, until the next job that works.
    problem = models.CharField(max_length=32, blank=True)
    problem_message = models.CharField(max_length=500, blank=True)
    problem_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "provider switches"
        constraints = [
            models.CheckConstraint(condition=Q(slots__gte=1), name="switch_has_a_slot"),
        ]

    def __str__(self) -> str:
        return self.provider
