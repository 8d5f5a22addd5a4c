"""What to do about a failure: what only the command knows, of what was typed and set here."""

from dataclasses import dataclass

from pixy_client.cli.attempts import Attempt
from pixy_client.tokens import TOKEN_VARIABLE
from pixy_grpc.core.exceptions import InvalidGuidError, InvalidTokenError, RecordNotFoundError

MAX_SHOWN = 80
"""Characters shown of a guid that is none: one has 36."""

_DELETED = (
    "This request id made that image, and it has been deleted since: "
    "another request id, or none, makes a new one."
)


@dataclass(frozen=True)
class Asked:
    """What a run was asked for: of which image, with a token from where; empty if unknown."""

    guid: str = ""
    token_source: str = ""


NOTHING = Asked()
"""A run of which nothing is known."""


def advice(error: BaseException, asked: Asked, attempt: Attempt) -> str:
    """Return what there is to say to who sits at the command; empty if nothing is."""
    if isinstance(error, RecordNotFoundError) and attempt.request_id and not attempt.is_made:
        return _DELETED
    if isinstance(error, InvalidTokenError) and asked.token_source:
        return _about_token(asked.token_source)
    if isinstance(error, InvalidGuidError) and asked.guid:
        return f"It was {asked.guid[:MAX_SHOWN]!a}."
    return ""


def _about_token(source: str) -> str:
    if source == TOKEN_VARIABLE:
        return (
            f"The token is from {source}: set it to one that the server knows (its PIXY_TOKENS), "
            "or unset it where the server made one in .pixy/token."
        )
    return (
        f"The token is from {source}: run this in the folder where the server runs, or set "
        f"{TOKEN_VARIABLE} to one that the server knows (its PIXY_TOKENS)."
    )
