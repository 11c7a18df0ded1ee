"""The stand-in for ModelArk as a web server: its routes, and how its answers go wrong."""

import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.providers.fakes.ark_rules import MIN_PIXELS, Refused, answer, check_fields, wh
from tests.providers.fakes.ark_task_routes import TaskRoutes
from tests.providers.fakes.clips import mp4
from tests.providers.fakes.faults import AFTER, BEFORE
from tests.providers.fakes.pictures import jpeg, jpeg_b64

API_PATH = "/api/v3"
IMAGES_PATH = f"{API_PATH}/images/generations"
TASKS_PATH = f"{API_PATH}/contents/generations/tasks"


@dataclass(slots=True, kw_only=True)
class Request:
    """One POST /images/generations as it came in."""

    prompt: str
    client_request_id: str
    body: Any
    headers: dict[str, str]
    status: int = 0  # what it was answered with; 0 when the answer was withheld
    was_made: bool = False  # a picture was made, and would be billed


class ArkHandler(TaskRoutes):
    def _route(self, path: str, raw: bytes) -> None:
        if (self.command, path) == ("POST", IMAGES_PATH):
            self._create(raw)
        elif path.startswith(TASKS_PATH):
            self._task_call(raw, path.removeprefix(TASKS_PATH))
        elif self.command == "GET" and path.startswith("/files/"):
            self._file(path)
        else:
            self._send_error(Refused(404, "NotFound", "no such path"))

    # --- the picture API ---

    def _create(self, raw: bytes) -> None:
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        prompt = body.get("prompt", "") if isinstance(body, dict) else ""
        request = Request(
            prompt=prompt if isinstance(prompt, str) else "",
            client_request_id=self.headers.get("X-Client-Request-Id", ""),
            body=body,
            headers=dict(self.headers.items()),
        )
        self.stand_in.requests.append(request)
        try:
            self._check(body)
        except Refused as refused:
            request.status = refused.status
            self._send_error(refused)
            return
        fault = self.stand_in.fault_for(request.prompt, where="image")
        if fault is not None and fault.kind in BEFORE and self._went_wrong_before(fault, request):
            return
        url, picture = self.stand_in.make(body, fault)
        request.was_made = True
        if fault is not None and fault.kind in AFTER:
            whole = answer(body, [{"url": url, "size": wh(picture)}], picture)
            item_error = {"error": {"code": fault.code, "message": fault.message}}
            odd: dict[str, list[Any]] = {
                "no_data": [],
                "no_url": [{"size": "1x1"}],
                "bad_url": [{"url": "javascript:1"}],
                "item_error": [item_error],
                "b64": [{"b64_json": jpeg_b64(picture)}] if fault.kind == "b64" else [],
            }
            bodies = {kind: {**whole, "data": data} for kind, data in odd.items()}
            self._went_wrong_after(fault, request, whole, bodies)
            return
        request.status = 200
        self._send_json(200, answer(body, [{"url": url, "size": wh(picture)}], picture))

    def _check(self, body: Any) -> None:
        if self.headers.get("Authorization") != f"Bearer {self.stand_in.api_key}":
            raise Refused(401, "AuthenticationError", "The API key is missing or not valid.")
        if not (self.headers.get("Content-Type") or "").startswith("application/json"):
            raise Refused(400, "InvalidParameter", "The body must be JSON.", "content-type")
        if not isinstance(body, dict):
            raise Refused(400, "InvalidParameter", "The body must be a JSON object.", "body")
        for name in ("model", "prompt"):
            if name not in body:
                raise Refused(400, "MissingParameter", f"{name} is required.", name)
        model = body["model"]
        if isinstance(model, str) and model in self.stand_in.closed_models:
            raise Refused(404, "ModelNotOpen", f"The model {model} is not activated.")
        if not isinstance(model, str) or model not in MIN_PIXELS:
            raise Refused(404, "InvalidEndpointOrModel.NotFound", "The model does not exist.")
        check_fields(body)

    # --- the files ---

    def _file(self, path: str) -> None:
        query = parse_qs(urlsplit(self.path).query)
        name, _, ending = path.removeprefix("/files/").partition(".")
        clip = self.stand_in.clip(name) if ending == "mp4" else None
        result = clip or self.stand_in.picture(name)
        signature = query.get("X-Tos-Signature", [""])[0]
        if result is None or result.fault == "result_missing":
            self._send(404, b"<Error><Code>NoSuchKey</Code></Error>", "application/xml")
        elif signature != result.signature or time.time() > result.expires_at:
            self._send(403, b"<Error><Code>AccessDenied</Code></Error>", "application/xml")
        elif clip is None:
            self._send_result(result, jpeg(result), "image/jpeg")
        else:
            content = mp4(
                width=clip.width,
                height=clip.height,
                duration_s=clip.duration_s,
                colour=clip.colour,
            )
            self._send_result(clip, content, "video/mp4")
