# Made by `python -m scripts.client` from the description of the programming interface; not to be changed by hand.
from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.alerts import Alerts
from ...models.kind import Kind
from ...models.list_alerts_state import ListAlertsState
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    state: ListAlertsState | Unset = "",
    camera: str | Unset = "",
    kind: Kind | None | Unset = UNSET,
    before: int | Unset = 0,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_state: str | Unset = UNSET
    if not isinstance(state, Unset):
        json_state = state

    params["state"] = json_state

    params["camera"] = camera

    json_kind: None | str | Unset
    if isinstance(kind, Unset):
        json_kind = UNSET
    elif isinstance(kind, str):
        json_kind = kind
    else:
        json_kind = kind
    params["kind"] = json_kind

    params["before"] = before

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/alerts",
        "params": params,
    }

    return _kwargs


def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Alerts | Problem | None:
    if response.status_code == 200:
        response_200 = Alerts.from_dict(response.json())

        return response_200

    if response.status_code == 401:
        response_401 = Problem.from_dict(response.json())

        return response_401

    if response.status_code == 403:
        response_403 = Problem.from_dict(response.json())

        return response_403

    if response.status_code == 404:
        response_404 = Problem.from_dict(response.json())

        return response_404

    if response.status_code == 409:
        response_409 = Problem.from_dict(response.json())

        return response_409

    if response.status_code == 422:
        response_422 = Problem.from_dict(response.json())

        return response_422

    if response.status_code == 503:
        response_503 = Problem.from_dict(response.json())

        return response_503

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Response[Alerts | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    state: ListAlertsState | Unset = "",
    camera: str | Unset = "",
    kind: Kind | None | Unset = UNSET,
    before: int | Unset = 0,
) -> Response[Alerts | Problem]:
    """Find

     Alerts, the newest first, a hundred at a time.

    Permission: `alerts`.

    Args:
        state (ListAlertsState | Unset):  Default: ''.
        camera (str | Unset):  Default: ''.
        kind (Kind | None | Unset):
        before (int | Unset):  Default: 0.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Alerts | Problem]
    """

    kwargs = _get_kwargs(
        state=state,
        camera=camera,
        kind=kind,
        before=before,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    state: ListAlertsState | Unset = "",
    camera: str | Unset = "",
    kind: Kind | None | Unset = UNSET,
    before: int | Unset = 0,
) -> Alerts | Problem | None:
    """Find

     Alerts, the newest first, a hundred at a time.

    Permission: `alerts`.

    Args:
        state (ListAlertsState | Unset):  Default: ''.
        camera (str | Unset):  Default: ''.
        kind (Kind | None | Unset):
        before (int | Unset):  Default: 0.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Alerts | Problem
    """

    return sync_detailed(
        client=client,
        state=state,
        camera=camera,
        kind=kind,
        before=before,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    state: ListAlertsState | Unset = "",
    camera: str | Unset = "",
    kind: Kind | None | Unset = UNSET,
    before: int | Unset = 0,
) -> Response[Alerts | Problem]:
    """Find

     Alerts, the newest first, a hundred at a time.

    Permission: `alerts`.

    Args:
        state (ListAlertsState | Unset):  Default: ''.
        camera (str | Unset):  Default: ''.
        kind (Kind | None | Unset):
        before (int | Unset):  Default: 0.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Alerts | Problem]
    """

    kwargs = _get_kwargs(
        state=state,
        camera=camera,
        kind=kind,
        before=before,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    state: ListAlertsState | Unset = "",
    camera: str | Unset = "",
    kind: Kind | None | Unset = UNSET,
    before: int | Unset = 0,
) -> Alerts | Problem | None:
    """Find

     Alerts, the newest first, a hundred at a time.

    Permission: `alerts`.

    Args:
        state (ListAlertsState | Unset):  Default: ''.
        camera (str | Unset):  Default: ''.
        kind (Kind | None | Unset):
        before (int | Unset):  Default: 0.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Alerts | Problem
    """

    return (
        await asyncio_detailed(
            client=client,
            state=state,
            camera=camera,
            kind=kind,
            before=before,
        )
    ).parsed
