"""What the stand-in for Kling can do wrong, and the errors that the API reference lists."""

import re
from dataclasses import dataclass, field
from typing import Any

ERRORS: dict[int, tuple[int, str]] = {
    1000: (401, "Authentication failed"),
    1001: (401, "Authorization is empty"),
    1002: (401, "Authorization is invalid"),
    1003: (401, "Authorization is not yet valid"),
    1004: (401, "Authorization has expired"),
    1100: (429, "Account exception"),
    1101: (429, "Account in arrears"),
    1102: (429, "Account balance not enough"),
    1103: (403, "No permission for this model"),
    1200: (400, "Invalid request parameters"),
    1201: (400, "Invalid parameters"),
    1202: (404, "The requested method is invalid"),
    1203: (404, "The requested resource does not exist"),
    1300: (400, "Trigger strategy of the platform"),
    1301: (400, "Trigger the content security policy"),
    1302: (429, "The API request is too fast"),
    1303: (429, "parallel task over resource pack limit"),
    1304: (429, "The caller's IP is not in the allow list"),
    5000: (500, "Server internal error"),
    5001: (503, "Server temporarily unavailable"),
    5002: (504, "Server internal timeout"),
}

# Before a task is made (nothing is billed), after it; both also with `where` "query" or "list".
BEFORE = {"error", "drop_before", "hang_before", "redirect"}
AFTER = {
    "drop_after", "hang_after", "drip", "garbage", "html", "empty", "truncated", "huge", "odd",
}  # fmt: skip
# What becomes of the task, and of the file behind its link.
TASK = {"fail_risk", "fail_pixel", "fail_other", "no_url", "bad_url"}
RESULT = {
    "result_expired", "result_text", "result_huge", "result_cut_off", "result_redirect",
    "result_missing",
}  # fmt: skip
KINDS = BEFORE | AFTER | TASK | RESULT
WHERE = {"create", "query", "list"}

FAILURES = {
    "fail_risk": "Failure to pass the risk control system",
    "fail_pixel": "Image pixel is invalid",
    "fail_other": "Generation failed, please try again",
}

MARKER = re.compile(r"\[kling:([a-z0-9_]+)(?:\*([0-9]+))?\]")


@dataclass(slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong.

    where: in which call. times: how often. match: only for prompts that contain it (a list has
    none). code, status, message: of an error; status 0 and message "" as documented for the code.
    data: what an odd answer holds instead of the task.
    """

    kind: str
    where: str = "create"
    times: int = 1
    match: str = ""
    code: int = 5000
    status: int = 0
    message: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 1.0
    location: str = "http://169.254.169.254/latest/meta-data/"
    data: Any = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}; known: {', '.join(sorted(KINDS))}")
        if self.where not in WHERE or (self.kind in TASK | RESULT and self.where != "create"):
            raise ValueError(f"{self.kind} cannot happen in {self.where!r}")


def marked(name: str) -> Fault | None:
    """`[kling:1303]` is an error with that code; anything else the name of a fault."""
    if name.isdigit():
        return Fault(kind="error", code=int(name)) if int(name) in ERRORS else None
    return Fault(kind=name) if name in KINDS else None
