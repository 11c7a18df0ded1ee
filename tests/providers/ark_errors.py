"""The errors that ModelArk documents for pictures and clips alike, and how they are told."""

from creative_hub.providers.base import ErrorClass, ProviderError

REFUSED, REQUEST, IMAGE = ErrorClass.CONTENT_REFUSED, ErrorClass.BAD_REQUEST, ErrorClass.BAD_IMAGE
LIMITED, GONE, CREDIT = ErrorClass.RATE_LIMITED, ErrorClass.MODEL_GONE, ErrorClass.PROVIDER_CREDIT
AUTH, AMBIGUOUS, TRANSIENT = ErrorClass.AUTH, ErrorClass.AMBIGUOUS, ErrorClass.TRANSIENT

# Status, code, and what it is to us.
DOCUMENTED = [
    (400, "MissingParameter", REQUEST),
    (400, "InvalidParameter", REQUEST),
    (400, "InvalidImageURL.EmptyURL", IMAGE),
    (400, "InvalidImageURL.InvalidFormat", IMAGE),
    (400, "InvalidEndpoint.ClosedEndpoint", GONE),
    (400, "SensitiveContentDetected", REFUSED),
    (400, "SensitiveContentDetected.SevereViolation", REFUSED),
    (400, "SensitiveContentDetected.Violence", REFUSED),
    (400, "InputTextSensitiveContentDetected", REFUSED),
    (400, "InputImageSensitiveContentDetected", REFUSED),
    (400, "InputImageSensitiveContentDetected.PolicyViolation", REFUSED),
    (400, "InputImageSensitiveContentDetected.PrivacyInformation", REFUSED),
    (400, "InputTextRiskDetection", REFUSED),
    (400, "InputImageRiskDetection", REFUSED),
    (400, "OutputImageSensitiveContentDetected", REFUSED),
    (400, "OutputTextSensitiveContentDetected", REFUSED),
    (401, "AuthenticationError", AUTH),
    (401, "InvalidAccountStatus", AUTH),
    (403, "AccountOverdueError", CREDIT),
    (403, "OperationDenied.ServiceOverdue", CREDIT),
    (403, "OperationDenied.ServiceNotOpen", GONE),
    (403, "AccessDenied", GONE),
    (404, "ModelNotOpen", GONE),
    (404, "InvalidEndpointOrModel.NotFound", GONE),
    (404, "InvalidEndpointOrModel.ModelIDAccessDisabled", GONE),
    (404, "UnsupportedModel", GONE),
    (429, "RateLimitExceeded.EndpointRPMExceeded", LIMITED),
    (429, "RateLimitExceeded.EndpointTPMExceeded", LIMITED),
    (429, "RateLimitExceeded.FoundationModelRPMExceeded", LIMITED),
    (429, "ModelAccountRpmRateLimitExceeded", LIMITED),
    (429, "ModelAccountTpmRateLimitExceeded", LIMITED),
    (429, "ModelAccountIpmRateLimitExceeded", LIMITED),
    (429, "APIAccountRpmRateLimitExceeded", LIMITED),
    (429, "AccountRateLimitExceeded", LIMITED),
    (429, "RequestBurstTooFast", LIMITED),
    (429, "InflightBatchsizeExceeded", LIMITED),
    (429, "ServerOverloaded", TRANSIENT),
    (429, "ModelLoadingError", TRANSIENT),
    (429, "QuotaExceeded", LIMITED),
    (429, "SetLimitExceeded", CREDIT),
    (500, "InternalServiceError", AMBIGUOUS),
    (502, "", AMBIGUOUS),
    (503, "", TRANSIENT),
    (504, "", AMBIGUOUS),
]
WORDS = "The provider's own words."


def assert_told(error: ProviderError, *, status: int, code: str, expected: ErrorClass) -> None:
    """It is of this class, with the provider's code and words and the id of the request."""
    assert error.error_class is expected
    assert error.code == (code or f"http_{status}")
    assert error.message.startswith(f"{WORDS} Request id: 0217")
    assert error.request_id.startswith("req-")
