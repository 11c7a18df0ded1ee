"""The three refusals that answer 402, with everything a person needs to understand them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The state of the limits at the moment of a refusal, in whole credits.

    cap and used: of the limit that refused; None when the balance did. resets_at: when the
    current month ends, in the workspace's time zone.
    """

    required: int
    available: int
    held: int
    cap: int | None
    used: int | None
    resets_at: datetime | None


class CreditsRefused(Exception):
    """A hold was refused. Nothing was changed."""

    sentence: ClassVar[str]

    def __init__(self, figures: Figures) -> None:
        super().__init__(self.sentence)
        self.figures = figures

    def as_json(self) -> dict[str, Any]:
        return {"error": self.sentence, **asdict(self.figures)}


class InsufficientCredits(CreditsRefused):
    sentence = "Insufficient credits"


class MonthlyCapExceeded(CreditsRefused):
    sentence = "Monthly credit cap exceeded"


class MemberCapExceeded(CreditsRefused):
    sentence = "Team member monthly credit cap exceeded"


class LedgerError(Exception):
    """A caller asked for what the ledger never does, e.g. to charge more than was held."""
