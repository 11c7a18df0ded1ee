"""The task API of the stand-in for ModelArk: its routes, and how its answers go wrong."""

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.providers.fakes.ark_answers import ALL_AFTER, Noted, WrongAnswers
from tests.providers.fakes.ark_rules import Refused
from tests.providers.fakes.ark_task_rules import MAX_BODY_BYTES, check, wrong
from tests.providers.fakes.ark_tasks import CONTENT_FAULTS, Call, Create
from tests.providers.fakes.faults import BEFORE, Fault

if TYPE_CHECKING:
    from tests.providers.fakes.ark import FakeArk

MAX_URL_CHARS = 8192


class TaskRoutes(WrongAnswers):
    """The task API of the handler."""

    stand_in: "FakeArk"

    def _task_call(self, raw: bytes, path: str) -> None:
        """path: what follows `/contents/generations/tasks`."""
        call = Call(method=self.command, path=path, query=urlsplit(self.path).query)
        self.stand_in.calls.append(call)
        try:
            if len(self.path) > MAX_URL_CHARS:
                raise Refused(414, "", "The address is too long.")
            if self.headers.get("Authorization") != f"Bearer {self.stand_in.api_key}":
                raise Refused(401, "AuthenticationError", "The API key is missing or not valid.")
            match (self.command, path):
                case ("POST", ""):
                    self._create_task(raw, call)
                case ("GET", ""):
                    self._answer(
                        call, self.stand_in.listed(call.query), where="list", text=call.query
                    )
                case ("GET" | "DELETE", _) if path:
                    self._one_task(path.removeprefix("/"), call)
                case _:
                    raise Refused(404, "NotFound", "no such path")
        except Refused as refused:
            call.status = refused.status
            self._send_error(refused)

    def _create_task(self, raw: bytes, call: Call) -> None:
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        create = Create(
            client_request_id=self.headers.get("X-Client-Request-Id", ""),
            body=body,
            headers=dict(self.headers.items()),
        )
        self.stand_in.creates.append(create)
        try:
            if not (self.headers.get("Content-Type") or "").startswith("application/json"):
                raise wrong("The body must be JSON.", "content-type")
            if len(raw) > MAX_BODY_BYTES:
                raise wrong("The body must have 64 MB at most.", "body")
            asked = check(body, closed_models=self.stand_in.closed_models)
            cap = self.stand_in.queued_cap
            if cap is not None and self.stand_in.count_queued() >= cap:
                message = "The number of queued tasks exceeds the quota."
                raise Refused(429, "QuotaExceeded", message)
        except Refused as refused:
            create.status = refused.status
            raise
        fault = self.stand_in.fault_for(asked.text, where="create")
        if fault is not None and fault.kind in BEFORE and self._went_wrong_before(fault, create):
            call.status = create.status
            return
        task = self.stand_in.make_task(asked, fault)
        create.task_id = task.id
        whole = {"id": task.id}
        if fault is not None and fault.kind in ALL_AFTER and fault.kind not in CONTENT_FAULTS:
            odd = {"no_id": {}, "bad_id": {"id": "../x"}, "wrong_types": {"id": [task.id]}}
            self._went_wrong_after(fault, create, whole, odd)
        else:
            create.status = 200
            self._send_json(200, whole)
        call.status = create.status

    def _one_task(self, task_id: str, call: Call) -> None:
        task = next((task for task in self.stand_in.known_tasks() if task.id == task_id), None)
        if task is None:
            raise Refused(404, "ResourceNotFound", "The specified task is not found.")
        text = f"{task.id} {task.asked.text}"
        if call.method == "GET":
            self._answer(call, self.stand_in.shown(task, in_list=False), where="query", text=text)
            return
        fault = self.stand_in.fault_for(text, where="delete")
        if fault is not None and fault.kind in BEFORE and self._went_wrong_before(fault, call):
            return
        self.stand_in.delete_task(task)
        self._send_whole(call, {}, fault)

    def _answer(self, call: Call, whole: dict[str, Any], *, where: str, text: str) -> None:
        fault = self.stand_in.fault_for(text, where=where)
        if fault is not None and fault.kind in BEFORE and self._went_wrong_before(fault, call):
            return
        self._send_whole(call, whole, fault)

    def _send_whole(self, call: Noted, whole: dict[str, Any], fault: Fault | None) -> None:
        if fault is None or fault.kind not in ALL_AFTER:
            call.status = 200
            self._send_json(200, whole)
            return
        junk = [1, "x", None, [], {"id": 3}, {"id": "../x", "status": "running"}]
        is_list = "items" in whole
        odd: dict[str, Any] = {
            "no_data": {"total": 0} if is_list else {},
            "no_id": {key: value for key, value in whole.items() if key != "id"},
            "bad_id": {**whole, "id": "cgt-another"},
            "wrong_types": {"items": junk, "total": "many"} if is_list else {**whole, "status": 7},
        }
        self._went_wrong_after(fault, call, whole, odd)
