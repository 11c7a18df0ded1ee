"""Indexes and rules of clips, without holding up whoever writes meanwhile."""

from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("creative_hub", "0002_clips")]

    operations = [
        RemoveIndexConcurrently(model_name="generation", name="generation_last_completed"),
        AddIndexConcurrently(
            model_name="generation",
            index=models.Index(
                condition=Q(("status", "completed")),
                fields=["provider", "is_sandbox", "resolution", "duration_s", "-completed_at"],
                name="generation_last_completed",
            ),
        ),
        AddIndexConcurrently(
            model_name="providerjob",
            index=models.Index(
                condition=Q(("state__in", ["waiting", "submitting", "running"])),
                fields=["provider", "state"],
                name="job_in_line_or_upstream",
            ),
        ),
        AddIndexConcurrently(
            model_name="providerjob",
            index=models.Index(
                condition=Q(("state", "unknown")), fields=["state"], name="job_unknown"
            ),
        ),
        AddConstraintNotValid(
            model_name="generation",
            constraint=models.CheckConstraint(
                condition=Q(
                    Q(("duration_s__gt", 0), ("kind", "video")),
                    Q(
                        ("duration_s__isnull", True),
                        ("kind", "image"),
                        ("start_frame__isnull", True),
                        ("start_frame_url", ""),
                    ),
                    _connector="OR",
                ),
                name="generation_only_clips_have_length_and_frame",
            ),
        ),
        ValidateConstraint(
            model_name="generation", name="generation_only_clips_have_length_and_frame"
        ),
        # `unknown` is looked at from time to time now, so it has a next action too.
        migrations.RemoveConstraint(model_name="providerjob", name="job_next_action_until_it_ends"),
        AddConstraintNotValid(
            model_name="providerjob",
            constraint=models.CheckConstraint(
                condition=Q(
                    Q(("next_action_at__isnull", True), ("state__in", ["done", "failed"])),
                    Q(
                        ("next_action_at__isnull", False),
                        ("state__in", ["waiting", "submitting", "running", "fetching", "unknown"]),
                    ),
                    _connector="OR",
                ),
                name="job_next_action_until_it_ends",
            ),
        ),
        ValidateConstraint(model_name="providerjob", name="job_next_action_until_it_ends"),
    ]
