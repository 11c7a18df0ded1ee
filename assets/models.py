"""The library: every finished or uploaded picture and clip."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q


class Asset(models.Model):
    """One stored original with its thumbnails. Private to its workspace; never re-encoded."""

    class Kind(models.TextChoices):
        IMAGE = "image", "Image"
        VIDEO = "video", "Video"

    class Source(models.TextChoices):
        GENERATED = "generated", "Generated"
        UPLOADED = "uploaded", "Uploaded"
        FETCHED = "fetched", "Fetched"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("workspaces.Workspace", on_delete=models.PROTECT)
    creator = models.ForeignKey("workspaces.Membership", on_delete=models.PROTECT)
    kind = models.CharField(max_length=5, choices=Kind.choices)
    source = models.CharField(max_length=9, choices=Source.choices)
    # What it was made from or for; a second ingest of the same reference returns the first asset.
    source_reference = models.CharField(max_length=120, unique=True)
    # Folder of the original and its thumbnails in the store.
    storage_key = models.CharField(max_length=200, unique=True)
    # What the download is called between "wevion-image-20260702-" and ".jpg".
    stem = models.CharField(max_length=80)
    media_type = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64)
    bytes = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    duration_s = models.FloatField(null=True)
    is_sandbox = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(bytes__gt=0, width__gt=0, height__gt=0),
                name="asset_is_measured",
            ),
            models.CheckConstraint(
                condition=Q(kind="image", duration_s__isnull=True)
                | Q(kind="video", duration_s__gt=0),
                name="asset_video_has_a_duration",
            ),
        ]
        indexes = [
            # The workspace's assets, newest first (admin, library).
            models.Index(fields=["workspace", "-created_at"], name="asset_newest_of_workspace"),
            # selectors.newest_images for members who see everybody's pictures of the workspace.
            models.Index(
                fields=["workspace", "-created_at", "-id"],
                condition=Q(kind="image"),
                name="asset_newest_images",
            ),
            # selectors.newest_images for members who see their own pictures only.
            models.Index(
                fields=["creator", "-created_at", "-id"],
                condition=Q(kind="image"),
                name="asset_newest_images_of_member",
            ),
            # The newest assets of all workspaces (admin).
            models.Index(fields=["-created_at"], name="asset_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"
