"""How Vertex AI refuses, and what its stand-in can do wrong."""

import re
from dataclasses import dataclass, field
from typing import Any

STATUS_NAMES = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
    409: "ABORTED", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 501: "UNIMPLEMENTED",
    503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED",
}  # fmt: skip

# Before anything is done, and instead of the answer to what was done.
BEFORE = {"error", "page", "drop_before", "hang_before", "redirect"}
AFTER = {
    "drop_after", "hang_after", "garbage", "html", "empty", "truncated", "cut_off", "huge",
    "no_name", "bad_name", "not_an_object", "foreign", "nothing",
}  # fmt: skip
# How the operation ends; besides `rpc_13` and the like, with a number of google.rpc.Code.
ENDINGS = {"filtered", "filtered_silently", "no_clip", "hollow", "bad_base64"}
PLACES = ("create", "poll", "storage", "token")

MARKER = re.compile(r"\[vertex:([a-z0-9_]+)(?:\*([0-9]+))?\]")


class Refused(Exception):
    def __init__(self, status: int, message: str, *, code: str = "", details: Any = None) -> None:
        super().__init__(message)
        self.status, self.message, self.details = status, message, details
        self.code = code or STATUS_NAMES.get(status, "UNKNOWN")


@dataclass(slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong. times: how often; match: only for prompts that contain it."""

    kind: str
    where: str = "create"
    times: int = 1
    match: str = ""
    status: int = 500
    code: str = ""
    message: str = "Internal error encountered."
    details: list[Any] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 1.0
    location: str = "http://169.254.169.254/latest/meta-data/"

    def __post_init__(self) -> None:
        if not is_kind(self.kind):
            known = ", ".join(sorted(BEFORE | AFTER | ENDINGS))
            raise ValueError(f"unknown fault {self.kind!r}; known: {known}, rpc_<number>")
        if self.where not in PLACES:
            raise ValueError(f"unknown place {self.where!r}; known: {', '.join(PLACES)}")

    @property
    def refusal(self) -> Refused:
        return Refused(self.status, self.message, code=self.code, details=self.details or None)

    @property
    def is_ending(self) -> bool:
        return self.kind in ENDINGS or self.kind.startswith("rpc_")


def is_kind(name: str) -> bool:
    return name in BEFORE | AFTER | ENDINGS or re.fullmatch(r"rpc_[0-9]{1,2}", name) is not None


def marked(name: str) -> Fault | None:
    """`[vertex:429]` fails a start, `[vertex:poll_503]` a poll; anything else names a fault."""
    where = next((place for place in PLACES if name.startswith(f"{place}_")), "create")
    name = name.removeprefix(f"{where}_")
    if re.fullmatch(r"[45][0-9]{2}", name):
        return Fault(kind="error", where=where, status=int(name))
    return Fault(kind=name, where=where) if is_kind(name) else None
