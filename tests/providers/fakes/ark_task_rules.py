"""What ModelArk accepts for a video task, as documented for Seedance 1.0 pro."""

import base64
import binascii
import io
import re
import warnings
from dataclasses import dataclass
from typing import Any

from PIL import Image, UnidentifiedImageError

from tests.providers.fakes.ark_rules import Refused

MODELS = {"seedance-1-0-pro-250528"}
STATES = {"queued", "running", "succeeded", "failed", "expired", "cancelled"}
RATIOS = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")
_SIZES = {
    "480p": ((864, 480), (736, 544), (640, 640), (544, 736), (480, 864), (960, 416)),
    "720p": ((1248, 704), (1120, 832), (960, 960), (832, 1120), (704, 1248), (1504, 640)),
    "1080p": ((1920, 1088), (1664, 1248), (1440, 1440), (1248, 1664), (1088, 1920), (2176, 928)),
}
SIZES = {
    (resolution, ratio): size
    for resolution, sizes in _SIZES.items()
    for ratio, size in zip(RATIOS, sizes, strict=True)
}
FPS = 24
MAX_BODY_BYTES = 64 * 1024**2
MAX_IMAGE_BYTES = 30 * 1024**2
IMAGE_FORMATS = {"jpeg", "png", "webp", "bmp", "tiff", "gif"}

_TYPES: dict[str, type] = {
    "model": str, "content": list, "resolution": str, "ratio": str, "duration": int, "frames": int,
    "seed": int, "camera_fixed": bool, "watermark": bool, "generate_audio": bool,
    "service_tier": str, "return_last_frame": bool, "execution_expires_after": int,
    "callback_url": str, "safety_identifier": str,
}  # fmt: skip
_CHOICES = {
    "resolution": set(_SIZES),
    "ratio": {*RATIOS, "adaptive"},
    "service_tier": {"default", "flex"},
}
_RANGES = {
    "duration": (2, 12),
    "frames": (29, 289),
    "seed": (-1, 4294967295),
    "execution_expires_after": (3600, 259200),
}
_OF_OTHER_MODELS = {"draft", "priority", "output_format"}


@dataclass(slots=True, kw_only=True)
class Asked:
    """What a body asks for in effect, the flags in its text included."""

    model: str
    text: str
    resolution: str
    ratio: str
    duration: int
    watermark: bool
    identifier: str
    service_tier: str
    images: int

    @property
    def size(self) -> tuple[int, int]:
        return SIZES[self.resolution, self.ratio]

    @property
    def tokens(self) -> int:
        width, height = self.size
        return width * height * FPS * self.duration // 1024


def wrong(message: str, param: str) -> Refused:
    return Refused(400, "InvalidParameter", message, param)


def check(body: Any, *, closed_models: set[str]) -> Asked:
    """Raises Refused for whatever the documentation does not allow."""
    if not isinstance(body, dict):
        raise wrong("The body must be a JSON object.", "body")
    for name in ("model", "content"):
        if name not in body:
            raise Refused(400, "MissingParameter", f"{name} is required.", name)
    model = body["model"]
    if isinstance(model, str) and model in closed_models:
        raise Refused(404, "ModelNotOpen", f"The model {model} is not activated.")
    if not isinstance(model, str) or model not in MODELS:
        raise Refused(404, "InvalidEndpointOrModel.NotFound", "The model does not exist.")
    _check_fields(body)
    texts, sizes = _check_content(body["content"])
    ratio = body.get("ratio", "adaptive" if sizes else "16:9")
    if ratio == "adaptive" and not sizes:
        raise wrong("ratio adaptive is not supported for text-to-video.", "ratio")
    if ratio == "adaptive":
        ratio = _nearest(sizes[0])
    asked = Asked(
        model=model,
        text=" ".join(texts),
        resolution=body.get("resolution", "1080p"),
        ratio=ratio,
        duration=body.get("duration", 5),
        watermark=body.get("watermark", False),
        identifier=body.get("safety_identifier", ""),
        service_tier=body.get("service_tier", "default"),
        images=len(sizes),
    )
    _obey_flags(asked)
    return asked


def _check_fields(body: dict[str, Any]) -> None:
    for name, value in body.items():
        if name in _OF_OTHER_MODELS:
            sentence = f"{name} is not supported for model {body['model']}, must be empty."
            raise wrong(sentence, name)
        if name not in _TYPES:
            raise wrong(f"{name} is not supported.", name)
        # In Python a bool is an int; in JSON it is none.
        is_stray_bool = isinstance(value, bool) and _TYPES[name] is not bool
        if is_stray_bool or not isinstance(value, _TYPES[name]):
            raise wrong(f"{name} has a wrong type.", name)
        if name in _CHOICES and value not in _CHOICES[name]:
            raise wrong(f"{name} must be one of {sorted(_CHOICES[name])}.", name)
        least, most = _RANGES.get(name, (0, 0))
        if name in _RANGES and not least <= body[name] <= most:
            raise wrong(f"{name} must be within {_RANGES[name]}.", name)
    if (body.get("frames", 29) - 25) % 4:
        raise wrong("frames must be 25 + 4n.", "frames")
    if len(body.get("safety_identifier", "")) > 64:
        raise wrong("safety_identifier must have 64 characters at most.", "safety_identifier")


def _check_content(content: list[Any]) -> tuple[list[str], list[tuple[int, int]]]:
    """The texts, and the sizes of the pictures, first frame first."""
    texts: list[str] = []
    frames: dict[str, tuple[int, int]] = {}
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text" and set(part) == {"type", "text"}:
            if not isinstance(part["text"], str) or not part["text"].strip():
                raise wrong("text must not be empty.", "content.text")
            texts.append(part["text"])
        elif kind == "image_url" and set(part) - {"role"} == {"type", "image_url"}:
            role = part.get("role", "first_frame")
            if role not in ("first_frame", "last_frame"):
                raise wrong(f"role {role} is not supported for this model.", "content.role")
            if role in frames:
                raise wrong(f"only one image can be the {role}.", "content.role")
            frames[role] = _image_size(part["image_url"])
        else:
            raise wrong("content holds a part of an unknown shape.", "content")
    if "last_frame" in frames and "first_frame" not in frames:
        raise wrong("a last_frame image needs a first_frame image.", "content.role")
    if not texts and not frames:
        raise wrong("content must hold a text or an image.", "content")
    return texts, [frames[role] for role in sorted(frames)]


def _image_size(value: Any) -> tuple[int, int]:
    param = "content.image_url"
    url = value.get("url") if isinstance(value, dict) and set(value) == {"url"} else None
    if not isinstance(url, str) or not url:
        raise Refused(400, "InvalidImageURL.EmptyURL", "The image URL is empty.", param)
    if url.startswith(("http://", "https://", "asset://")):
        return (1280, 720)  # this stand-in fetches nothing
    found = re.fullmatch(r"data:image/([a-z]+);base64,(.*)", url, re.DOTALL)
    if found is None or found[1] not in IMAGE_FORMATS:
        raise Refused(400, "InvalidImageURL.InvalidFormat", "Not an image URL.", param)
    try:
        content = base64.b64decode(found[2], validate=True)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(content)) as image:
                kind, size = (image.format or "").lower(), image.size
                image.load()
    except (binascii.Error, UnidentifiedImageError, OSError, Warning) as error:
        raise wrong("The image cannot be read.", param) from error
    if kind != found[1]:
        raise wrong(f"The image is {kind}, not {found[1]}.", param)
    if len(content) >= MAX_IMAGE_BYTES:
        raise wrong("The image must be below 30 MB.", param)
    if not all(300 <= side <= 6000 for side in size):
        raise wrong("The sides of the image must have 300 to 6000 pixels.", param)
    if not 0.4 <= size[0] / size[1] <= 2.5:
        raise wrong("The ratio of the image must be within 0.4 and 2.5.", param)
    return size


def _nearest(size: tuple[int, int]) -> str:
    def distance(ratio: str) -> float:
        across, down = (int(part) for part in ratio.split(":"))
        return abs(across / down - size[0] / size[1])

    return min(RATIOS, key=distance)


def _obey_flags(asked: Asked) -> None:
    """Options inside the text win, and are checked loosely: a bad value changes nothing."""
    for name, value in re.findall(r"--([A-Za-z]+)[\s=]+(\S+)", asked.text):
        match name.lower():
            case "rs" | "resolution" if value in _SIZES:
                asked.resolution = value
            case "rt" | "ratio" if value in RATIOS:
                asked.ratio = value
            case "dur" | "duration" if value.isdigit() and 2 <= int(value) <= 12:
                asked.duration = int(value)
            case "wm" | "watermark" if value in ("true", "false"):
                asked.watermark = value == "true"
