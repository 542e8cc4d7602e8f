"""`/v1/tokens`: make, list, revoke."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from farm.api.access import token_rules
from farm.api.services import Caller, FarmServices
from farm.spec.wire import MadeToken, NewToken, TokenInfo

router = APIRouter(prefix="/v1/tokens", tags=["tokens"])

TokenId = Annotated[str, Path(description="Id of a token.", max_length=40)]


@router.get("", summary="List tokens")
def list_tokens(services: FarmServices, caller: Caller) -> tuple[TokenInfo, ...]:
    """The caller's own, for admins all; without their secrets."""
    return token_rules.seen_tokens(services, caller)


@router.post("", status_code=201, summary="Make a token")
def make_token(
    services: FarmServices, caller: Caller, wanted: NewToken, response: Response
) -> MadeToken:
    """One's own, no mightier than the token in use, and no longer; admins make any."""
    response.headers["Cache-Control"] = "no-store"
    return token_rules.make_token(services, caller, wanted)


@router.delete("/{token_id}", summary="Revoke a token")
def revoke_token(services: FarmServices, caller: Caller, token_id: TokenId) -> TokenInfo:
    """It stops working within seconds, and those that were made with it do."""
    return token_rules.revoke_token(services, caller, token_id)
