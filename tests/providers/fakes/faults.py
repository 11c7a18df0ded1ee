"""What the stand-in for ModelArk can do wrong."""

import re
from dataclasses import dataclass, field

# Before the picture is made (nothing is billed), after it, and in the file behind the link.
BEFORE = {"error", "drop_before", "hang_before", "top_level_error", "redirect"}
AFTER = {
    "drop_after", "hang_after", "drip", "drip_headers", "garbage", "html", "empty", "truncated",
    "cut_off", "no_data", "no_url", "bad_url", "item_error", "huge", "endless", "b64",
}  # fmt: skip
RESULT = {
    "result_expired", "result_text", "result_bomb", "result_huge", "result_redirect",
    "result_hang", "result_drip", "result_cut_off", "result_missing",
}  # fmt: skip
KINDS = BEFORE | AFTER | RESULT

MARKER = re.compile(r"\[ark:([a-z0-9_]+)(?:\*([0-9]+))?\]")


@dataclass(slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong. times: how often; match: only for prompts that contain it."""

    kind: str
    times: int = 1
    match: str = ""
    status: int = 500
    code: str = "InternalServiceError"
    message: str = "The service met an unexpected error."
    param: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 1.0
    location: str = "http://169.254.169.254/latest/meta-data/"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}; known: {', '.join(sorted(KINDS))}")
