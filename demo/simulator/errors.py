"""Answers of refusal, in the shape of Stripe's API errors."""

from typing import Any

INVALID_REQUEST = "invalid_request_error"


class ApiError(Exception):
    """A request Stripe would refuse: HTTP status, message, and what the client library branches on."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = INVALID_REQUEST,
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error: dict[str, Any] = {"message": message, "type": kind}
        if code:
            self.error["code"] = code
            self.error["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
        if param:
            self.error["param"] = param

    @property
    def body(self) -> dict[str, Any]:
        return {"error": self.error}


class Declined(ApiError):
    """A payment was tried and refused: HTTP 402, and the attempt is kept."""

    def __init__(self, message: str, *, code: str, about: dict[str, Any]) -> None:
        super().__init__(402, message, kind="card_error", code=code)
        self.error |= about


def no_such(kind: str, object_id: str, param: str = "id", status: int = 404) -> ApiError:
    """The object is not here: 404 when the path names it, 400 when a parameter does."""
    return ApiError(status, f"No such {kind}: '{object_id}'", code="resource_missing", param=param)
