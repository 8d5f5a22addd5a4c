"""Keeps what creations have come to in a SQL database, whichever it is."""

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import (
    Creation,
    CreationKey,
    CreationState,
    Fence,
    FenceLostError,
    NewCreation,
    PaidImage,
    Refusal,
    Usage,
)
from pixy_grpc.core.exceptions import FieldViolation
from pixy_grpc.data.database import (
    Database,
    Parameters,
    Row,
    Session,
    among,
    time_text,
    time_value,
)

CREATION_COLUMNS = """
    caller, request_id, fingerprint, state, guid, fence, asks, lease_until, prompt, filename,
    store_key, refusal_reason, refusal_message, refusal_violations, generator, model, created_at
"""
"""What `creation_of` reads."""

_NAMED = "caller = :caller AND request_id = :request_id"
_FENCED = f"{_NAMED} AND fence = :fence AND guid = :guid"
_HELD = f"{_FENCED} AND state <> 'done'"

_FIND = f"SELECT {CREATION_COLUMNS} FROM creations WHERE {_NAMED}"  # noqa: S608 - constants

_BY_GUID = f"SELECT {CREATION_COLUMNS} FROM creations WHERE guid IN ({{}})"  # noqa: S608 - constants

_CLAIM = """
    INSERT INTO creations (caller, request_id, fingerprint, state, guid, fence, asks,
        lease_until, prompt, filename, generator, created_at, updated_at)
    VALUES (:caller, :request_id, :fingerprint, 'claimed', :guid, 1, 0,
        :lease_until, :prompt, :filename, :generator, :created_at, :now)
"""

_UNFINISHED = f"""
    SELECT {CREATION_COLUMNS} FROM creations
    WHERE state IN ('claimed', 'asked', 'kept') AND lease_until < :ended_before
    ORDER BY lease_until LIMIT :rows
"""  # noqa: S608 - constants

_MAX_TEXT_CHARACTERS = 2_000
"""Of a refusal: the contract's texts have less than 1 KB."""

_MAX_NAME_CHARACTERS = 255
"""Of what the provider calls its model and its answer."""

_COUNT_LIMIT = 2**63
"""Of a BIGINT; no provider counts so far."""


class SqlCreationRepository:
    """A CreationRepository over a Database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, key: CreationKey, deadline: Deadline) -> Creation | None:
        """Return one creation."""
        with self._database.read(deadline) as session:
            rows = session.query(_FIND, _name(key))
        return creation_of(rows[0]) if rows else None

    def list_by_guid(self, guids: Collection[str], deadline: Deadline) -> Sequence[Creation]:
        """Look in the index of guids."""
        return [creation_of(row) for row in among(self._database, _BY_GUID, guids, deadline)]

    def claim(self, new: NewCreation, deadline: Deadline) -> Creation:
        """Insert the row; its primary key lets one of many do so."""
        with self._database.write(deadline) as session:
            session.execute(_CLAIM, _claim_parameters(new))
            return creation_of(session.query(_FIND, _name(new.key))[0])

    def take_over(
        self, seen: Creation, lease_until_ms: int, ended_before_ms: int, deadline: Deadline
    ) -> Creation | None:
        """Put the next fence where the one that was seen still is."""
        with self._database.write(deadline) as session:
            met = _change(
                session,
                "fence = fence + 1, lease_until = :lease_until",
                seen.fence,
                also="AND lease_until < :ended_before",
                values={"lease_until": lease_until_ms, "ended_before": ended_before_ms},
            )
            return creation_of(session.query(_FIND, _name(seen.key))[0]) if met else None

    def renew(
        self, fences: Sequence[Fence], lease_until_ms: int, deadline: Deadline
    ) -> list[Fence]:
        """Write each lease, in the order of the rows: two who do so never cross."""
        ordered = sorted(fences, key=lambda fence: (fence.key.caller, fence.key.request_id))
        with self._database.write(deadline) as session:
            return [fence for fence in ordered if _lengthened(session, fence, lease_until_ms)]

    def note_asked(self, fence: Fence, deadline: Deadline) -> None:
        """Count an ask."""
        self._note("state = 'asked', asks = asks + 1", fence, {}, deadline)

    def note_kept(self, paid: PaidImage, deadline: Deadline) -> None:
        """Note the bytes."""
        usage = _usage_parameters(paid.usage) if paid.usage else {}
        values = {
            "store_key": paid.store_key,
            "model": paid.model[:_MAX_NAME_CHARACTERS],
            **usage,
        }
        changes = ", ".join(f"{column} = :{column}" for column in values)
        self._note(f"state = 'kept', {changes}", paid.fence, values, deadline)

    def note_refused(self, fence: Fence, refusal: Refusal, deadline: Deadline) -> None:
        """Keep a refusal."""
        violations = [[each.field, each.description] for each in refusal.violations]
        self._note(
            "state = 'refused', lease_until = 0, refusal_reason = :reason,"
            " refusal_message = :message, refusal_violations = :violations",
            fence,
            {
                "reason": refusal.reason,
                "message": refusal.message[:_MAX_TEXT_CHARACTERS],
                "violations": json.dumps(violations),
            },
            deadline,
        )

    def note_unknown(self, fence: Fence, deadline: Deadline) -> None:
        """End the lease of one whose outcome is not known."""
        self._note("state = 'unknown', lease_until = 0", fence, {}, deadline)

    def release(self, fence: Fence, asks: int, deadline: Deadline) -> None:
        """Forget the row, or leave it to the next who asks."""
        with self._database.write(deadline) as session:
            if asks:
                values = {"asks": asks}
                change = "state = 'unknown', asks = :asks, lease_until = 0"
                _change(session, change, fence, values=values)
            else:
                statement = f"DELETE FROM creations WHERE {_HELD}"  # noqa: S608 - a constant
                session.execute(statement, fence_parameters(fence))

    def retire(self, seen: Fence, request_id: str, deadline: Deadline) -> None:
        """Rename the row."""
        with self._database.write(deadline) as session:
            session.execute(
                f"UPDATE creations SET request_id = :other WHERE {_FENCED}",  # noqa: S608 - constants
                {**fence_parameters(seen), "other": request_id},
            )

    def list_unfinished(
        self, ended_before_ms: int, limit: int, deadline: Deadline
    ) -> Sequence[Creation]:
        """Read from the index of leases."""
        with self._database.read(deadline) as session:
            rows = session.query(_UNFINISHED, {"ended_before": ended_before_ms, "rows": limit})
        return [creation_of(row) for row in rows]

    def _note(self, change: str, fence: Fence, values: Parameters, deadline: Deadline) -> None:
        with self._database.write(deadline) as session:
            if not _change(session, change, fence, values=values):
                raise FenceLostError


def _lengthened(session: Session, fence: Fence, lease_until_ms: int) -> bool:
    values = {"lease_until": lease_until_ms}
    change = "lease_until = :lease_until"
    return bool(_change(session, change, fence, also="AND lease_until > 0", values=values))


def end_creation(session: Session, fence: Fence, store_key: str) -> None:
    """Make a creation done, in the transaction that adds its image; raise FenceLostError."""
    change = (
        "state = 'done', lease_until = 0, prompt = NULL, filename = NULL, store_key = :store_key"
    )
    if not _change(session, change, fence, values={"store_key": store_key}):
        raise FenceLostError


def fence_parameters(fence: Fence) -> Row:
    """Return what finds the row that a fence holds."""
    return {**_name(fence.key), "fence": fence.number, "guid": fence.guid}


def _change(
    session: Session, change: str, fence: Fence, *, values: Parameters, also: str = ""
) -> int:
    """Change the row that a fence holds; return 0 where it is lost."""
    return session.execute(
        f"UPDATE creations SET {change}, updated_at = :now WHERE {_HELD} {also}",  # noqa: S608 - constants
        {**fence_parameters(fence), "now": time_text(datetime.now(UTC)), **values},
    )


def _name(key: CreationKey) -> Row:
    return {"caller": key.caller.encode(), "request_id": key.request_id}


def _claim_parameters(new: NewCreation) -> Row:
    return {
        **_name(new.key),
        "fingerprint": new.fingerprint,
        "guid": new.guid,
        "lease_until": new.lease_until_ms,
        "prompt": new.prompt,
        "filename": new.filename,
        "generator": new.generator,
        "created_at": time_text(new.created_at),
        "now": time_text(datetime.now(UTC)),
    }


def _usage_parameters(usage: Usage) -> Row:
    latency = usage.latency_seconds
    return {
        "provider_request_id": usage.provider_request_id[:_MAX_NAME_CHARACTERS] or None,
        "input_tokens": _counted(usage.input_tokens),
        "output_tokens": _counted(usage.output_tokens),
        "latency_ms": _counted(None if latency is None else latency * 1000),
    }


def _counted(amount: float | None) -> int | None:
    """Return what a column of 64 bits holds: what does not fit is as good as not known."""
    return round(amount) if amount is not None and 0 <= amount < _COUNT_LIMIT else None


def creation_of(row: Row) -> Creation:
    """Return the creation of a row with CREATION_COLUMNS."""
    key = CreationKey(bytes(row["caller"]).decode(), row["request_id"])
    return Creation(
        fence=Fence(key, row["fence"], row["guid"]),
        fingerprint=row["fingerprint"],
        guid=row["guid"],
        state=CreationState(row["state"]),
        asks=row["asks"],
        lease_until_ms=row["lease_until"],
        created_at=time_value(row["created_at"]),
        generator=row["generator"],
        prompt=row["prompt"] or "",
        filename=row["filename"] or "",
        store_key=row["store_key"] or "",
        model=row["model"] or "",
        refusal=_refusal(row),
    )


def _refusal(row: Row) -> Refusal | None:
    if row["state"] != CreationState.REFUSED:
        return None
    violations = tuple(FieldViolation(*each) for each in json.loads(row["refusal_violations"]))
    return Refusal(row["refusal_reason"], row["refusal_message"], violations)
