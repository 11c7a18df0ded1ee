"""Questions about ModelArk's video tasks: one, a page of them, the end of one.

Source: BytePlus ModelArk API reference, "Query a video generation task", "List video generation
tasks", "Cancel or delete a video generation task".
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from creative_hub.providers import ark_errors, http
from creative_hub.providers.ark_errors import ArkError
from creative_hub.providers.base import ErrorClass, ProviderError

TASKS_PATH = "/contents/generations/tasks"
PAGE_SIZE = 500  # the most a list gives at once
MAX_URL_CHARS = 8192
MAX_ANSWER_BYTES = 64 * 1024
# A full page of tasks with a signed link of 8 KB each, and the rest of their fields.
MAX_LIST_BYTES = 8 * 1024 * 1024
# A call that has less time than this left, in seconds, is not begun.
MIN_CALL_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class ArkTask:
    """One task as ModelArk shows it; what is missing or of a wrong type is empty.

    created_at: Unix seconds by their clock. identifier: the `safety_identifier` it was made with.
    """

    id: str
    status: str = ""
    video_url: str = ""
    identifier: str = ""
    created_at: float | None = None
    error: ArkError | None = None

    @classmethod
    def read(cls, value: Any) -> ArkTask | None:
        """None when the value is not a task."""
        task_id = task_id_of(value)
        if not task_id:
            return None
        content = value.get("content")
        status, identifier = value.get("status"), value.get("safety_identifier")
        return cls(
            id=task_id,
            status=status if isinstance(status, str) else "",
            video_url=_link(content.get("video_url")) if isinstance(content, dict) else "",
            identifier=identifier if isinstance(identifier, str) else "",
            created_at=_number(value.get("created_at")),
            error=ArkError.read(value.get("error")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPage:
    """A page of the list, newest first. size: items it has, those that cannot be read included."""

    tasks: Sequence[ArkTask]
    size: int
    is_last: bool

    @classmethod
    def read(cls, value: Any, *, number: int) -> TaskPage | None:
        """None when the value is not a page. number: which one it is, from 1."""
        if not isinstance(value, dict):
            return None
        items, total = value.get("items"), _number(value.get("total"))
        if items is None and total == 0:
            items = []
        if not isinstance(items, list):
            return None
        size = len(items)
        seen = (number - 1) * PAGE_SIZE + size
        is_last = size == 0 or (size < PAGE_SIZE if total is None else seen >= total)
        tasks = [task for item in items if (task := ArkTask.read(item)) is not None]
        return cls(tasks=tasks, size=size, is_last=is_last)

    def ends_before(self, moment: float) -> bool:
        """Whether all pages after this one are older. moment: Unix time."""
        if not self.tasks:
            return False
        first, last = self.tasks[0].created_at, self.tasks[-1].created_at
        # The order is the list's habit, not its promise.
        return first is not None and last is not None and first >= last and last < moment


class TaskApi:
    """Questions with one deadline for several requests. It keeps no connection."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        connect_timeout_s: float,
        clock: Callable[[], float],
    ) -> None:
        self.url = f"{base_url.rstrip('/')}{TASKS_PATH}"
        self._api_key = api_key
        self._connect_timeout_s = connect_timeout_s
        self._clock = clock

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._api_key}"}

    def page(self, number: int, filters: Sequence[tuple[str, str]], *, until: float) -> TaskPage:
        """until: by `time.monotonic`, as everywhere here. Raises ProviderError."""
        params = [("page_num", str(number)), ("page_size", str(PAGE_SIZE)), *filters]
        answer = self._ask("GET", "", params=params, until=until)
        if answer.status == 200:
            page = TaskPage.read(answer.parsed(), number=number)
            if page is not None:
                return page
        raise _of_the_question(self.refusal(answer))

    def task(self, task_id: str, *, until: float) -> ArkTask:
        """Raises ProviderError: RESULT_EXPIRED when there is no such task (any more)."""
        answer = self._ask("GET", f"/{task_id}", until=until)
        if answer.status == 200:
            task = ArkTask.read(answer.parsed())
            if task is not None and task.id == task_id and task.status:
                return task
        refusal = self.refusal(answer)
        if answer.status == 404:
            raise ProviderError(
                ErrorClass.RESULT_EXPIRED,
                refusal.message,
                code=refusal.code,
                request_id=refusal.request_id,
            )
        raise _of_the_question(refusal)

    def delete(self, task_id: str, *, until: float) -> bool:
        """Cancel a queued task, or forget one that has ended. False: refused, as it runs by now."""
        answer = self._ask("DELETE", f"/{task_id}", until=until)
        if 200 <= answer.status < 300:
            return True
        refusal = self.refusal(answer)
        # The code of that refusal is not documented; the request itself leaves little else to say.
        is_bad = answer.status == 400 and refusal.error_class is ErrorClass.BAD_REQUEST
        if is_bad or answer.status in (404, 409):
            return False
        raise refusal

    def refusal(
        self,
        answer: http.Answer,
        *,
        is_create: bool = False,
        has_image: bool = False,
        prompt: str = "",
    ) -> ProviderError:
        """What an answer that is not what was asked for means."""
        found = answer.parsed()
        error = ArkError.read(found.get("error")) if isinstance(found, dict) else None
        error = error or ArkError()
        reason = "an answer that cannot be read" if answer.status < 300 else ""
        message = error.message or answer.flaw or reason or f"HTTP {answer.status}"
        return ark_errors.provider_error(
            error,
            status=answer.status,
            is_create=is_create,
            has_image=has_image,
            message=self.scrubbed(message, prompt=prompt),
            request_id=answer.headers.get("x-request-id", ""),
            retry_after_s=http.retry_after_s(answer.headers, now=self._clock()),
        )

    def scrubbed(self, message: str, *, prompt: str) -> str:
        return http.scrubbed(message, secrets=[self._api_key], prompt=prompt)

    def _ask(
        self, method: str, path: str, *, until: float, params: Sequence[tuple[str, str]] = ()
    ) -> http.Answer:
        left_s = until - time.monotonic()
        if left_s < MIN_CALL_S:
            raise ProviderError(ErrorClass.TRANSIENT, "no time is left to ask", code="too_slow")
        return http.ask(
            method,
            self.url + path,
            is_create=False,
            params=params,
            headers=self.headers(),
            connect_timeout_s=min(self._connect_timeout_s, left_s),
            total_timeout_s=left_s,
            max_answer_bytes=MAX_ANSWER_BYTES if path else MAX_LIST_BYTES,
        )


def task_id_of(value: Any) -> str:
    """The id in an answer; empty unless it can be stored, and asked about by address."""
    task_id = value.get("id") if isinstance(value, dict) else None
    is_fit = isinstance(task_id, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,200}", task_id)
    return str(task_id) if is_fit else ""


def _of_the_question(refusal: ProviderError) -> ProviderError:
    """An answer that says nothing of a task must not be taken for the end of one."""
    if refusal.error_class not in (ErrorClass.RESULT_EXPIRED, ErrorClass.BAD_RESULT):
        return refusal
    return ProviderError(
        ErrorClass.TRANSIENT,
        refusal.message,
        code=refusal.code,
        request_id=refusal.request_id,
        retry_after_s=refusal.retry_after_s,
    )


def _link(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_URL_CHARS:
        return ""
    is_plain = value.isascii() and value.isprintable()
    return value if is_plain and value.startswith(("https://", "http://")) else ""


def _number(value: Any) -> float | None:
    """Numbers come as such or as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,9})?", value):
        return None
    try:
        return float(value)
    except OverflowError:
        return None
