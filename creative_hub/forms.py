"""What may be ordered: the one validator behind the composer and the API."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator

from assets.info import AssetInfo
from creative_hub import catalogue
from creative_hub.catalogue import listed
from creative_hub.services import frames, switches
from creative_hub.services.orders import ImageRequest, OrderRequest, Sale, VideoRequest
from workspaces.selectors import Member


class TextField(forms.CharField):
    """Text that the database can hold, counted as the browser counts it."""

    def to_python(self, value: Any) -> str:
        # Browsers count a line break as one character and send it as two.
        text = str(super().to_python(value) or "").replace("\r\n", "\n")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValidationError("This text has broken characters in it.") from None
        return text


class _MaxLength(MaxLengthValidator):
    def __init__(self, limit: int, what: str) -> None:
        super().__init__(
            limit, f"The {what} has %(show_value)s characters; at most %(limit_value)s fit."
        )


def _choice(values: Iterable[str], initial: str) -> forms.ChoiceField:
    values = list(values)
    return forms.ChoiceField(
        choices=[(value, value) for value in values],
        required=False,
        initial=initial,
        error_messages={
            "invalid_choice": f"%(value)s is not available here. Choose {listed(values)}."
        },
    )


def _prompt() -> TextField:
    return TextField(
        validators=[_MaxLength(catalogue.PROMPT_MAX_CHARS, "prompt")],
        error_messages={
            "required": f"Write a prompt of 1 to {catalogue.PROMPT_MAX_CHARS} characters."
        },
    )


class OrderForm(forms.Form):
    """An order of one studio, by its member. An omitted option takes its default."""

    kind: catalogue.Kind
    # The fields that decide the price.
    PRICED: tuple[str, ...]

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        member: Member,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        # Bound or not as Django has it: an empty mapping is an order without any field.
        super().__init__(data, initial=dict(initial or {}))
        self.member = member

    def order(self) -> OrderRequest:
        """The validated order. Only after is_valid()."""
        raise NotImplementedError

    @classmethod
    def sale(cls, chosen: Mapping[str, str]) -> Sale:
        """What is paid for with these values; one that is not offered counts as its default."""
        raise NotImplementedError

    def sentences(self) -> dict[str, list[str]]:
        """Field name to what is wrong with it."""
        return {name: [str(one) for one in errors] for name, errors in self.errors.items()}


class ImageForm(OrderForm):
    """An order of pictures."""

    kind = catalogue.Kind.IMAGE
    PRICED = ("num_variants",)
    studio = catalogue.IMAGE

    prompt = _prompt()
    style = TextField(required=False, validators=[_MaxLength(catalogue.STYLE_MAX_CHARS, "style")])
    aspect_ratio = _choice((one.value for one in studio.ratios), studio.default_ratio)
    resolution = _choice((one.value for one in studio.resolutions), studio.default_resolution)
    num_variants = _choice((str(one) for one in studio.variants), str(studio.default_variants))

    def order(self) -> ImageRequest:
        given = {name: value for name, value in self.cleaned_data.items() if value}
        if "num_variants" in given:
            given["num_variants"] = int(given["num_variants"])
        return ImageRequest(**given)

    @classmethod
    def sale(cls, chosen: Mapping[str, str]) -> Sale:
        offered = {str(one): one for one in cls.studio.variants}
        count = offered.get(chosen.get("num_variants", ""), cls.studio.default_variants)
        return Sale(item=cls.studio.price_item, num_variants=count)


class VideoForm(OrderForm):
    """An order of a clip. The frame it starts from is given by id (page) or address (API)."""

    kind = catalogue.Kind.VIDEO
    PRICED = ("provider", "duration")
    studio = catalogue.VIDEO

    prompt = _prompt()
    provider = _choice((one.value for one in studio.providers), studio.default_provider)
    # What is allowed depends on the provider: `clean` says it.
    duration = forms.CharField(required=False)
    aspect_ratio = forms.CharField(required=False, initial=studio.default_ratio)
    start_frame_id = forms.CharField(required=False)
    image_url = forms.CharField(required=False, strip=True)

    # The picture the clip starts from, once `clean` has found it among the member's own.
    frame: AssetInfo | None = None

    def order(self) -> VideoRequest:
        given = self.cleaned_data
        return VideoRequest(
            prompt=given["prompt"],
            provider=given["provider"],
            duration=given["duration"],
            aspect_ratio=given["aspect_ratio"],
            start_frame_id=self.frame.id if self.frame else None,
            start_frame_url="" if self.frame else given["image_url"],
        )

    @classmethod
    def sale(cls, chosen: Mapping[str, str]) -> Sale:
        made_by = cls.made_by(chosen)
        offered = {str(one): one for one in made_by.durations_s}
        length_s = offered.get(chosen.get("duration", ""), made_by.default_duration_s)
        return Sale(item=made_by.price_item, quantity=length_s)

    @classmethod
    def made_by(cls, chosen: Mapping[str, str]) -> catalogue.VideoProvider:
        """The chosen provider, or the default one for a name that is none."""
        try:
            return cls.studio.provider(chosen.get("provider", ""))
        except LookupError:
            return cls.studio.provider(cls.studio.default_provider)

    def clean_provider(self) -> str:
        return self.cleaned_data["provider"] or self.studio.default_provider

    def clean_start_frame_id(self) -> str:
        given: str = self.cleaned_data["start_frame_id"]
        if given:
            try:
                self.frame = frames.chosen(member=self.member, asset_id=uuid.UUID(given))
            except ValueError:
                raise ValidationError("This is not a start frame that we gave.") from None
            except frames.FrameRefused as refused:
                raise ValidationError(str(refused)) from None
        return given

    def clean_image_url(self) -> str:
        given: str = self.cleaned_data["image_url"]
        if given and self.frame is None:
            try:
                found = frames.from_url(member=self.member, url=given)
            except frames.FrameRefused as refused:
                raise ValidationError(str(refused)) from None
            if isinstance(found, AssetInfo):
                self.frame = found
        return given

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "provider" not in cleaned:
            # Without a provider nothing more can be said of what it makes.
            return cleaned
        made_by = self.studio.provider(cleaned["provider"])
        lengths = {str(one): one for one in made_by.durations_s}
        length = cleaned.get("duration") or str(made_by.default_duration_s)
        if length in lengths:
            cleaned["duration"] = lengths[length]
        else:
            self.add_error("duration", self.studio.duration_rule(made_by))
        ratio = cleaned.get("aspect_ratio") or self.studio.default_ratio
        if ratio in made_by.ratios:
            cleaned["aspect_ratio"] = ratio
        else:
            self.add_error("aspect_ratio", self.studio.ratio_rule(made_by))
        self._check_prompt_fits(made_by, cleaned.get("prompt", ""))
        return cleaned

    def _check_prompt_fits(self, made_by: catalogue.VideoProvider, prompt: str) -> None:
        """The provider's own limit, which the sandbox in its place does not have."""
        limit = made_by.prompt_max_chars
        if limit is None or len(prompt) <= limit:
            return
        if not switches.availability(provider=made_by.value).is_sandbox:
            rule = self.studio.prompt_rule(made_by)
            self.add_error("prompt", f"The prompt has {len(prompt)} characters. {rule}")


FORMS: dict[catalogue.Kind, type[OrderForm]] = {
    catalogue.Kind.IMAGE: ImageForm,
    catalogue.Kind.VIDEO: VideoForm,
}
