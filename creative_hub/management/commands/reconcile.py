"""manage.py reconcile"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from creative_hub.services import reconciliation


class Command(BaseCommand):
    help = (
        "Prove that the ledger, the generations and the stored files add up. Writes nothing."
        " Exit code 0 when everything does, 1 with a list of what does not."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")
        parser.add_argument(
            "--no-files", action="store_true", help="leave out the look into the file store"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found = reconciliation.findings(with_files=not options["no_files"])
        if options["json"]:
            self.stdout.write(json.dumps({"findings": found}, indent=2))
        elif found:
            self.stdout.write("\n".join(found))
            self.stdout.write(f"{len(found)} of these do not add up.")
        else:
            self.stdout.write("Everything adds up.")
        if found:
            raise SystemExit(1)
