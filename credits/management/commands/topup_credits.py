"""manage.py topup_credits <workspace> <credits> --reference R --note "…" """

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from credits import selectors, services
from credits.errors import LedgerError
from workspaces import selectors as people


class Command(BaseCommand):
    help = (
        "Add credits to a workspace (1 credit = $0.001). The same reference twice is one top-up:"
        " repeating a command that was cut off is safe."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("workspace", help="slug or id of the workspace")
        parser.add_argument("credits", type=int, help="whole credits, more than 0")
        parser.add_argument(
            "--reference", required=True, help="names this top-up once, e.g. an invoice number"
        )
        parser.add_argument("--note", default="", help="kept in the ledger")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen")

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = people.workspace(slug_or_id=options["workspace"])
        if workspace is None:
            raise CommandError(f"There is no workspace {options['workspace']!r}.")
        if options["credits"] <= 0:
            raise CommandError("The number of credits must be more than 0.")
        before = selectors.balance(workspace_id=workspace.id)
        if options["dry_run"]:
            self.stdout.write(
                f"Would add {options['credits']:,} credits to {workspace.name},"
                f" which has {before.available:,} available."
            )
            return
        try:
            is_new = services.top_up(
                workspace_id=workspace.id,
                amount=options["credits"],
                reference=options["reference"],
                note=options["note"],
                now=timezone.now(),
            )
        except LedgerError as error:
            raise CommandError(str(error)) from error
        after = selectors.balance(workspace_id=workspace.id)
        done = "Added" if is_new else "This reference was used before; nothing was added:"
        self.stdout.write(
            f"{done} {options['credits']:,} credits. {workspace.name} has"
            f" {after.available:,} available and {after.held:,} held."
        )
