"""manage.py seed_demo"""

from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from creative_hub.services import demo


class Command(BaseCommand):
    help = "Make the demo workspaces and logins. Idempotent. The password is DEMO_PASSWORD."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--force", action="store_true", help="seed even where DEBUG=0, e.g. a public demo"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG and not options["force"]:
            raise CommandError(
                "DEBUG=0 looks like production, and the demo's people share one password."
                " Nothing was made; --force makes them all the same."
            )
        password = os.environ.get("DEMO_PASSWORD", "")
        if len(password) < 8:
            raise CommandError("Set DEMO_PASSWORD to a password of at least 8 characters.")
        demo.seed(password=password, now=timezone.now())
        for login in demo.LOGINS:
            self.stdout.write(f"  {login.email:<20} {login.what}")
        self.stdout.write(f"  one password for all: {password}")
