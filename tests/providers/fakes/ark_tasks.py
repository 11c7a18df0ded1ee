"""The video tasks of the stand-in for ModelArk: what it keeps of them.

A task goes from queued to running to succeeded by time (`queue_s`, `render_s`), or ends as a fault
says. Lists show 7 days, newest first; a link to a clip lives for 24 hours.
"""

import secrets
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from tests.providers.fakes.ark_answers import TASK_ENDS
from tests.providers.fakes.ark_rules import Refused
from tests.providers.fakes.ark_task_rules import STATES, Asked, wrong
from tests.providers.fakes.faults import RESULT, Fault
from tests.providers.fakes.pictures import Picture

DAY_S = 24 * 3600
LINK_LIFE_S = DAY_S
KEPT_S = 7 * DAY_S
# The kinds of an answer's fault that show up in the finished task instead.
CONTENT_FAULTS = {"no_url": None, "bad_url": {"video_url": "javascript:1"}}


@dataclass(slots=True, kw_only=True)
class Clip(Picture):
    duration_s: int


@dataclass(slots=True, kw_only=True)
class Call:
    """One request to the task API as it came in."""

    method: str
    path: str
    query: str
    status: int = 0  # what it was answered with; 0 when the answer was withheld


@dataclass(slots=True, kw_only=True)
class Create:
    """One POST of a task as it came in."""

    client_request_id: str
    body: Any
    headers: dict[str, str]
    status: int = 0
    task_id: str = ""  # set when a task was made, and would be billed if it succeeds

    @property
    def safety_identifier(self) -> str:
        return self.body.get("safety_identifier", "") if isinstance(self.body, dict) else ""


@dataclass(slots=True, kw_only=True)
class Task:
    """One task. state: fixed, if not empty; else time decides. created_at: Unix seconds."""

    id: str
    asked: Asked
    created_at: float
    link: str
    clip: Clip
    state: str = ""
    error: tuple[str, str] = ("", "")
    end: str = "succeeded"  # what it comes to when its time is up
    content_fault: str = ""


class TaskBook:
    """What the stand-in keeps of tasks. `echoes_…`: where a task shows its safety_identifier."""

    origin: str
    tasks: dict[str, Task]
    creates: list[Create]
    calls: list[Call]

    def __init__(self) -> None:
        self._book_lock = threading.Lock()
        self.reset_tasks()

    def reset_tasks(self) -> None:
        self.tasks, self.creates, self.calls = {}, [], []
        self.queue_s = self.render_s = 0.0
        self.queued_cap: int | None = None
        self.echoes_identifier = True
        self.echoes_identifier_while_running = True
        self.echoes_identifier_in_lists = True
        self.filters_by_model = True  # False: as if it knew the model by another spelling only

    def made_tasks_per_identifier(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for create in self.creates:
            if create.task_id:
                key = create.safety_identifier
                counts[key] = counts.get(key, 0) + 1
        return counts

    def calls_of(self, method: str, path: str = "") -> list[Call]:
        """The calls to the tasks (path "") or to what follows them ("/{id}", or "/*" for any)."""
        return [
            call
            for call in self.calls
            if call.method == method
            and (call.path == path or (path == "/*" and call.path.startswith("/")))
        ]

    def put_task(
        self,
        *,
        identifier: str = "",
        state: str = "",
        created_at: float | None = None,
        **changes: Any,
    ) -> Task:
        """Make a task without a call, in this state or in that of its time."""
        fields: dict[str, Any] = {
            "model": "seedance-1-0-pro-250528", "text": "A boat", "resolution": "480p",
            "ratio": "16:9", "duration": 2, "watermark": False, "service_tier": "default",
            "images": 0,
        }  # fmt: skip
        asked = Asked(**{**fields, **changes}, identifier=identifier)
        return self.make_task(asked, None, state=state, created_at=created_at)

    def make_task(
        self,
        asked: Asked,
        fault: Fault | None,
        *,
        state: str = "",
        created_at: float | None = None,
    ) -> Task:
        created_at = time.time() if created_at is None else created_at
        day = time.strftime("%Y%m%d%H%M%S", time.gmtime(created_at))
        kind = "cgt-batch-" if asked.service_tier == "flex" else "cgt-"
        width, height = asked.size
        clip = Clip(
            width=width,
            height=height,
            duration_s=asked.duration,
            colour=(40, 90, 160),
            signature=secrets.token_hex(16),
            expires_at=created_at + self.queue_s + self.render_s + LINK_LIFE_S,
        )
        name = secrets.token_hex(8)
        link = f"{self.origin}/files/{name}.mp4?X-Tos-Signature={clip.signature}"
        task = Task(
            id=f"{kind}{day}-{secrets.token_hex(4)}",
            asked=asked,
            created_at=created_at,
            link=link,
            clip=clip,
            state=state,
        )
        if fault is not None:
            _spoil(task, fault)
        with self._book_lock:
            self.tasks[task.id] = task
        return task

    def clip(self, name: str) -> Clip | None:
        with self._book_lock:
            tasks = list(self.tasks.values())
        return next((task.clip for task in tasks if f"/files/{name}.mp4" in task.link), None)

    def state_of(self, task: Task) -> str:
        if task.state:
            return task.state
        age_s = time.time() - task.created_at
        if age_s < self.queue_s:
            return "queued"
        return "running" if age_s < self.queue_s + self.render_s else task.end

    def known_tasks(self) -> list[Task]:
        """Newest first. A cancelled one is forgotten after a day."""
        now = time.time()
        with self._book_lock:
            latest_first = list(reversed(self.tasks.values()))
        tasks = [
            task
            for task in latest_first
            if now - task.created_at < (DAY_S if task.state == "cancelled" else KEPT_S)
        ]
        return sorted(tasks, key=lambda task: -int(task.created_at))

    def count_queued(self) -> int:
        return sum(self.state_of(task) == "queued" for task in self.known_tasks())

    def delete_task(self, task: Task) -> None:
        """Raises Refused. 409 and its code are made up: the documentation names none."""
        with self._book_lock:
            state = self.state_of(task)
            if state in ("running", "cancelled"):
                raise Refused(409, "InvalidAction", f"A {state} task cannot be deleted.")
            if state == "queued":
                task.state = "cancelled"
            else:
                del self.tasks[task.id]

    def shown(self, task: Task, *, in_list: bool) -> dict[str, Any]:
        """The task as the documentation shows it."""
        state, asked = self.state_of(task), task.asked
        is_over = state in ("succeeded", "failed", "expired", "cancelled")
        spent_s = self.queue_s + self.render_s if is_over else time.time() - task.created_at
        answer: dict[str, Any] = {
            "id": task.id,
            "model": asked.model,
            "status": state,
            "created_at": int(task.created_at),
            "updated_at": int(task.created_at + max(0.0, spent_s)),
            "service_tier": asked.service_tier,
            "execution_expires_after": 172800,
        }
        is_echoed = self.echoes_identifier_in_lists if in_list else self.echoes_identifier
        if asked.identifier and is_echoed and (is_over or self.echoes_identifier_while_running):
            answer["safety_identifier"] = asked.identifier
        if state == "failed":
            code, message = task.error
            message = f"{message} Request id: 0217{secrets.token_hex(6)}"
            answer["error"] = {"code": code, "message": message}
        if state == "succeeded":
            content = CONTENT_FAULTS.get(task.content_fault, {"video_url": task.link})
            usage = {"completion_tokens": asked.tokens, "total_tokens": asked.tokens}
            answer |= {
                "content": content, "seed": 11, "resolution": asked.resolution,
                "ratio": asked.ratio, "duration": asked.duration, "framespersecond": 24,
                "generate_audio": False, "draft": False, "usage": usage,
            }  # fmt: skip
        return answer

    def listed(self, query: str) -> dict[str, Any]:
        """Raises Refused."""
        asked = parse_qs(query, keep_blank_values=True)
        once = {"page_num", "page_size", "filter.status", "filter.model", "filter.service_tier"}
        for name, values in asked.items():
            if name not in once | {"filter.task_ids"} or (name in once and len(values) > 1):
                raise wrong(f"{name} is not supported.", name)
        number, size = (_count(asked, name, d) for name, d in (("page_num", 1), ("page_size", 10)))
        status, model, ids = (asked.get(f"filter.{n}") for n in ("status", "model", "task_ids"))
        if status and status[0] not in STATES:
            raise wrong("filter.status is not a status.", "filter.status")
        tier = asked.get("filter.service_tier", ["default"])[0]
        items = [
            task
            for task in self.known_tasks()
            if task.asked.service_tier == tier
            and (not status or self.state_of(task) == status[0])
            and (not model or (self.filters_by_model and task.asked.model == model[0]))
            and (not ids or task.id in ids)
        ]
        page = items[(number - 1) * size : number * size]
        return {"items": [self.shown(task, in_list=True) for task in page], "total": len(items)}


def _spoil(task: Task, fault: Fault) -> None:
    if fault.kind in RESULT:
        task.clip.fault, task.clip.seconds = fault.kind, fault.seconds
        task.clip.location = fault.location
        if fault.kind == "result_expired":
            task.clip.expires_at = 0.0
    elif fault.kind in TASK_ENDS:
        task.end, task.error = fault.kind.removeprefix("task_"), (fault.code, fault.message)
    elif fault.kind in CONTENT_FAULTS:
        task.content_fault = fault.kind


def _count(asked: dict[str, list[str]], name: str, default: int) -> int:
    value = asked.get(name, [str(default)])[0]
    if not value.isdecimal() or not 1 <= int(value) <= 500:
        raise wrong(f"{name} must be within 1 and 500.", name)
    return int(value)
