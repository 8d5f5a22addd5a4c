"""What `pixy` says when it fails: one line for people, one document for programs."""

from dataclasses import dataclass

from pixy_client.cli.exits import ExitCode, exit_code
from pixy_client.cli.text import plain
from pixy_client.errors import status_of
from pixy_grpc.core.exceptions import FieldViolation, ImageException


@dataclass(frozen=True)
class Failure:
    """Why a run failed. `request_id` names a creation that may be asked for again."""

    code: ExitCode
    reason: str
    message: str
    call_id: str = ""
    request_id: str = ""
    retry_delay_seconds: float | None = None
    violations: tuple[FieldViolation, ...] = ()

    @classmethod
    def of(cls, error: BaseException, request_id: str) -> "Failure":
        """Return the failure that an exception means."""
        if isinstance(error, ImageException):
            return cls(
                code=exit_code(error),
                reason=error.reason or status_of(error),
                message=error.message,
                call_id=error.call_id,
                request_id=error.request_id or request_id,
                retry_delay_seconds=error.retry_delay_seconds,
                violations=error.violations,
            )
        if isinstance(error, OSError):
            where = f": {error.filename}" if error.filename else ""
            message = f"{error.strerror or error}{where}"
            return cls(ExitCode.FAILED, "FILE_ERROR", message, request_id=request_id)
        return cls(ExitCode.INTERRUPTED, "INTERRUPTED", "Interrupted.", request_id=request_id)

    def line(self) -> str:
        """Return it as one line that is safe on a terminal."""
        notes = "; ".join(self._notes())
        return plain(f"pixy: {self.reason}: {self.message}" + (f" ({notes})" if notes else ""))

    def document(self) -> dict[str, object]:
        """Return it as what `--json` prints."""
        return {
            "error": {
                "exit_code": self.code.value,
                "reason": self.reason,
                "message": self.message,
                "violations": [
                    {"field": each.field, "description": each.description}
                    for each in self.violations
                ],
                "call_id": self.call_id,
                "request_id": self.request_id,
                "retry_delay_seconds": self.retry_delay_seconds,
            }
        }

    def _notes(self) -> list[str]:
        notes = [
            f"{each.field}: {each.description}"
            for each in self.violations
            if each.description not in self.message
        ]
        if self.retry_delay_seconds is not None:
            notes.append(f"try again in {self.retry_delay_seconds:g} s")
        if self.call_id:
            notes.append(f"call id {self.call_id}")
        if self.request_id:
            notes.append(f"ask for the same image again with --request-id {self.request_id}")
        return notes
