"""What `pixy` says when it fails: one line for people, one document for programs."""

from dataclasses import dataclass, replace

from pixy_client.cli.advice import NOTHING, Asked, advice
from pixy_client.cli.attempts import Attempt
from pixy_client.cli.exits import SIGNALLED, ExitCode, exit_code
from pixy_client.cli.signals import Terminated
from pixy_client.cli.text import plain
from pixy_client.errors import SettingsError, status_of
from pixy_client.translation import ASK_AGAIN
from pixy_grpc.core.exceptions import FieldViolation, ImageException


@dataclass(frozen=True)
class Failure:
    """Why a run failed.

    `request_id` names the creation that was asked for; `may_be_made` tells that its
    image may be there all the same. `advice` is what the command has to add.
    """

    code: ExitCode
    reason: str
    message: str
    call_id: str = ""
    request_id: str = ""
    may_be_made: bool = False
    retry_delay_seconds: float | None = None
    violations: tuple[FieldViolation, ...] = ()
    advice: str = ""

    @classmethod
    def of(cls, error: BaseException, attempt: Attempt, asked: Asked = NOTHING) -> "Failure":
        """Return the failure that an exception means for what was attempted."""
        return replace(
            cls._of_error(error),
            request_id=attempt.request_id,
            may_be_made=attempt.may_have_made(error),
            advice=advice(error, asked, attempt),
        )

    @classmethod
    def _of_error(cls, error: BaseException) -> "Failure":
        if isinstance(error, ImageException):
            return cls(
                code=exit_code(error),
                reason=_reason(error),
                message=error.message,
                call_id=error.call_id,
                retry_delay_seconds=error.retry_delay_seconds,
                violations=error.violations,
            )
        if isinstance(error, OSError):
            return cls(ExitCode.FAILED, "FILE_ERROR", file_message(error))
        if isinstance(error, Terminated):
            code = ExitCode(SIGNALLED + error.number)
            return cls(code, "INTERRUPTED", f"Ended by {error.number.name}.")
        return cls(ExitCode.INTERRUPTED, "INTERRUPTED", "Interrupted.")

    def line(self) -> str:
        """Return it as one line that is safe on a terminal."""
        notes = "; ".join(self._notes())
        reason = "" if self.code == ExitCode.USAGE else f"{self.reason}: "
        message = f"{self.message.removesuffix(ASK_AGAIN)} {self.advice}".rstrip()
        return plain(f"pixy: {reason}{message}" + (f" ({notes})" if notes else ""))

    def document(self) -> dict[str, object]:
        """Return it as what `--json` prints."""
        return {
            "error": {
                "exit_code": self.code.value,
                "reason": self.reason,
                "message": self.message,
                "advice": self.advice,
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
        if self.may_be_made:
            notes.append(f"ask for the same image again with --request-id {self.request_id}")
        return notes


def file_message(error: OSError) -> str:
    """Return what the file system refused, and where."""
    where = f": {error.filename}" if error.filename else ""
    return f"{error.strerror or error}{where}"


def _reason(error: ImageException) -> str:
    if isinstance(error, SettingsError):
        return "UNUSABLE_SETTING"
    return error.reason or status_of(error)
