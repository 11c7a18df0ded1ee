from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_save


class CreditsConfig(AppConfig):
    name = "credits"
    verbose_name = "Credits"

    def ready(self) -> None:
        # workspaces knows nothing of credits, yet no workspace is ever without its account.
        post_save.connect(
            _open_account, sender="workspaces.Workspace", dispatch_uid="credits.open_account"
        )


def _open_account(*, instance: Any, created: bool, raw: bool = False, **_: object) -> None:
    from credits import services  # the models are not loaded when this module is

    if created and not raw:
        services.open_account(workspace_id=instance.pk)
