"""Every error that Dormouse raises on purpose, in one tree.

DormouseError
├── BadRequestError            400  the request cannot be understood
│   └── PayloadTooLargeError   413
├── AuthenticationError        401  no key, or a wrong one
├── PermissionDeniedError      403  a good key that may not do this
├── NotFoundError              404  model, trace, cycle, adapter, memory or document
├── ConflictError              409
│   ├── CycleActiveError            one cycle per model at a time
│   ├── CycleFinishedError          nothing left to cancel
│   ├── MemoryNotHeldError          nobody is asked about this memory
│   ├── KeyNameTakenError           a key of this name is there, or was
│   ├── LastKeyError                nobody could administrate any more
│   ├── IdempotencyError            the same key came with other content
│   └── RollbackError               no such version to go back to, or one without a passed gate
├── TooManyChatsError          429  a key has too many chats at once
├── EngineError                502  the engine answered, but not as it should
│   ├── EngineUnavailableError 503  the engine does not answer, or is being restored
│   ├── EngineRejectedError    4xx  the engine refused the client's request: its status is kept
│   └── AdapterNotAppliedError 503  loaded, but the probe shows that it does not act
├── QueueError                 503  the queue does not take a message (the outbox keeps it)
├── StorageError               503  a trace can be written nowhere
├── AdapterFileError           500  an adapter's files are missing or not what was recorded
└── CycleError                 500  inside a sleep cycle
    ├── CycleCancelledError         somebody asked to stop it
    ├── CycleExhaustedError         its worker died too often in it
    ├── LeaseLostError              another worker owns the cycle now
    ├── WorkerStoppingError         this worker was told to end: the cycle resumes elsewhere
    └── TrainerError                the trainer ended without an adapter
"""

from typing import Any


class DormouseError(Exception):
    """What happened, with which value, and what to do next.

    Args:
        message: One or two sentences for a person.
        param: The request's field that is at fault, where there is one.
    """

    code = "internal_error"
    status_code = 500
    type = "server_error"

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param

    def envelope(self) -> dict[str, Any]:
        """The body that OpenAI's clients expect of an error."""
        return {
            "error": {
                "message": self.message,
                "type": self.type,
                "param": self.param,
                "code": self.code,
            }
        }


class BadRequestError(DormouseError):
    """The request cannot be understood."""

    code = "invalid_request"
    status_code = 400
    type = "invalid_request_error"


class PayloadTooLargeError(BadRequestError):
    """The body is larger than the limit."""

    code = "request_too_large"
    status_code = 413


class AuthenticationError(DormouseError):
    """No key, or one that nobody has."""

    code = "invalid_api_key"
    status_code = 401
    type = "authentication_error"


class PermissionDeniedError(DormouseError):
    """A good key that may not do this."""

    code = "insufficient_permissions"
    status_code = 403
    type = "permission_error"


class NotFoundError(DormouseError):
    """The caller's tenant has nothing of this name."""

    code = "not_found"
    status_code = 404
    type = "invalid_request_error"

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message, param=param)
        self.code = code or self.code


class ConflictError(DormouseError):
    """The request is well-formed, but not in this state."""

    code = "conflict"
    status_code = 409
    type = "invalid_request_error"


class CycleActiveError(ConflictError):
    """The model already has a queued or running cycle."""

    code = "sleep_cycle_active"


class CycleFinishedError(ConflictError):
    """The cycle has ended."""

    code = "sleep_cycle_finished"


class MemoryNotHeldError(ConflictError):
    """The memory is not held for review."""

    code = "memory_not_held"


class KeyNameTakenError(ConflictError):
    """A key of this name is there, or was."""

    code = "key_name_taken"


class LastKeyError(ConflictError):
    """Without this key nobody could administrate any more."""

    code = "last_admin_key"


class IdempotencyError(ConflictError):
    """The same idempotency key came with other content."""

    code = "idempotency_key_reused"


class RollbackError(ConflictError):
    """The pointer cannot move there."""

    code = "rollback_impossible"


class TooManyChatsError(DormouseError):
    """A key has too many chats at once."""

    code = "rate_limit_exceeded"
    status_code = 429
    type = "rate_limit_error"


class EngineError(DormouseError):
    """The engine answered, but not as it should."""

    code = "engine_error"
    status_code = 502


class EngineUnavailableError(EngineError):
    """The engine does not answer, or is being restored."""

    code = "engine_unavailable"
    status_code = 503


class EngineRejectedError(EngineError):
    """The engine refused the request.

    Args:
        message: The engine's own words.
        status_code: The engine's status, 4xx.
        param: The field that it blames.
    """

    code = "invalid_request"
    type = "invalid_request_error"

    def __init__(self, message: str, *, status_code: int, param: str | None = None) -> None:
        super().__init__(message, param=param)
        self.status_code = status_code


class AdapterNotAppliedError(EngineError):
    """The engine says that the adapter is loaded, and answers as if it were not."""

    code = "adapter_not_applied"
    status_code = 503


class QueueError(DormouseError):
    """The queue does not take a message."""

    code = "queue_unavailable"
    status_code = 503


class StorageError(DormouseError):
    """A trace can be written nowhere, so no reply may be given."""

    code = "storage_unavailable"
    status_code = 503


class AdapterFileError(DormouseError):
    """An adapter's files are missing, or are not what was recorded."""

    code = "adapter_files_damaged"


class CycleError(DormouseError):
    """Something inside a sleep cycle."""

    code = "sleep_cycle_error"


class CycleCancelledError(CycleError):
    """Somebody asked to stop the cycle."""

    code = "sleep_cycle_cancelled"


class CycleExhaustedError(CycleError):
    """The cycle was begun too often without coming to its end."""

    code = "sleep_cycle_exhausted"


class LeaseLostError(CycleError):
    """Another worker owns the cycle now: touch nothing more."""

    code = "lease_lost"


class WorkerStoppingError(CycleError):
    """This worker was told to end; the cycle resumes after its last finished stage."""

    code = "worker_stopping"


class TrainerError(CycleError):
    """The trainer ended without an adapter."""

    code = "trainer_failed"
