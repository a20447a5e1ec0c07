"""What can go wrong on the operator's side."""

from shared.errors import DormouseError


class StackError(DormouseError):
    """The local stack cannot start, or has ended."""

    code = "stack_error"


class StackNotRunningError(StackError):
    """There is no running stack in this home."""

    code = "stack_not_running"


class ApiError(DormouseError):
    """The API refused, failed or did not answer.

    Args:
        message: One line for a person.
        status_code: The HTTP status; 0 when there was no answer.
        code: The code in OpenAI's error envelope.
    """

    def __init__(self, message: str, *, status_code: int = 0, code: str = "api_error") -> None:
        super().__init__(message)
        self.status_code = status_code
        self.code = code
