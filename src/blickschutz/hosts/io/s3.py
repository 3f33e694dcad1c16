"""Second copies in an object store that speaks S3: put, read, and destroyed in every version, which a listing has to prove.

Everything waits for the network, and belongs into a thread. docs/decisions/0014-copies-in-a-store.md.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from blickschutz.hosts.model import StoreFacts
from blickschutz.kernel.errors import DeviceError

_CLIP, _ORDER, _PROBE = ".clip", ".order", "probe-"
_CONNECT_S, _READ_S = 5, 30
_CHUNK: Final = 1 << 20
# What a store answers where nothing of the kind is set.
_NONE: Final = frozenset(
    {
        "ObjectLockConfigurationNotFoundError",
        "NoSuchLifecycleConfiguration",
        "ReplicationConfigurationNotFoundError",
    }
)
_GONE: Final = frozenset({"404", "NoSuchKey", "NotFound"})


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where it is and who opens it: `authority` is a file (PEM), None for those that the machine believes."""

    endpoint: str
    name: str
    region: str
    access: str
    secret: str
    authority: Path | None = None


class S3Store:
    """See `CopyStore`. Below `prefix` of a bucket, an object for each clip and one for its order. `client` stands for the real one."""

    def __init__(self, bucket: Bucket, prefix: str, client: Any = None) -> None:
        self._bucket, self._prefix = bucket.name, prefix
        self._client = client if client is not None else _client(bucket)

    def facts(self) -> StoreFacts:
        """Ask everything, then put an object there and destroy it."""
        unasked: list[str] = []

        def asked(what: str, call: Callable[..., Any]) -> dict[str, Any]:
            try:
                return dict(call(Bucket=self._bucket))
            except ClientError as error:
                if _code(error) not in _NONE:
                    unasked.append(f"{what} ({_code(error)})")
            except (BotoCoreError, OSError) as error:
                unasked.append(f"{what} ({type(error).__name__})")
            return {}

        client = self._client
        lock = asked("object lock", client.get_object_lock_configuration).get("ObjectLockConfiguration", {})
        rules = asked("lifecycle", client.get_bucket_lifecycle_configuration).get("Rules", [])
        copied = asked("replication", client.get_bucket_replication).get("ReplicationConfiguration", {}).get("Rules", [])
        asked("versioning", client.get_bucket_versioning)
        return StoreFacts(
            locked="Rule" in lock,
            lifecycle=[_named(one) for one in rules if one.get("Status") == "Enabled" and set(one) & _MOVES],
            replicated=[_named(one) for one in copied if one.get("Status") == "Enabled"],
            unasked=unasked,
            not_proven=self._tried() if not unasked else "",
        )

    def _tried(self) -> str:
        """Why an object that was put there, twice under one name, is not gone after it was destroyed."""
        clip = f"{_PROBE}{secrets.token_hex(8)}"
        try:
            for _ in range(2):
                with _told(clip, "put"):
                    self._client.put_object(Bucket=self._bucket, Key=self._key(clip, _CLIP), Body=clip.encode())
            self.destroy(clip)
        except DeviceError as error:
            return str(error)
        return ""

    def put(self, clip: str, path: Path, order: bytes) -> None:
        with _told(clip, "put"):
            self._client.put_object(Bucket=self._bucket, Key=self._key(clip, _ORDER), Body=order)
            with path.open("rb") as file:
                self._client.put_object(Bucket=self._bucket, Key=self._key(clip, _CLIP), Body=file)

    def digest(self, clip: str) -> tuple[str, int] | None:
        found, size = hashlib.sha256(), 0
        with _told(clip, "read"):
            if (body := self._body(clip, _CLIP)) is None:
                return None
            for chunk in body.iter_chunks(_CHUNK):
                found.update(chunk)
                size += len(chunk)
        return found.hexdigest(), size

    def order(self, clip: str) -> bytes:
        with _told(clip, "read"):
            body = self._body(clip, _ORDER)
            return bytes(body.read(_CHUNK)) if body is not None else b""

    def piece(self, clip: str, start: int, most: int) -> tuple[int, bytes]:
        with _told(clip, "read"):
            found = self._client.get_object(Bucket=self._bucket, Key=self._key(clip, _CLIP), Range=f"bytes={start}-{start + most - 1}")
            return int(str(found["ContentRange"]).rpartition("/")[2]), bytes(found["Body"].read())

    def _body(self, clip: str, kind: str) -> Any:
        try:
            return self._client.get_object(Bucket=self._bucket, Key=self._key(clip, kind))["Body"]
        except ClientError as error:
            if _code(error) in _GONE:
                return None
            raise

    def destroy(self, clip: str) -> None:
        """The ciphertext first, in every version; gone when nothing is listed any more, and nothing answers by its name."""
        with _told(clip, "be destroyed"):
            for kind in (_CLIP, _ORDER):
                key = self._key(clip, kind)
                for version in self._versions(key):
                    self._client.delete_object(Bucket=self._bucket, Key=key, VersionId=version)
                left = self._versions(key)
                if left or self._body(clip, kind) is not None:
                    raise DeviceError(f"of the copy of {clip} {len(left) or 1} versions are still in the store")

    def _versions(self, key: str) -> list[str]:
        """Every version of an object, and every marker that hides one."""
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=key)
        return [
            str(one["VersionId"])
            for page in pages
            for kind in ("Versions", "DeleteMarkers")
            for one in page.get(kind, ())
            if one["Key"] == key
        ]

    def clips(self) -> set[str]:
        with _told("", "be listed"):
            pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=self._prefix)
            keys = [str(one["Key"]) for page in pages for kind in ("Versions", "DeleteMarkers") for one in page.get(kind, ())]
        names = (key.removeprefix(self._prefix) for key in keys)
        return {name.removesuffix(_CLIP).removesuffix(_ORDER) for name in names if not name.startswith(_PROBE)}

    def _key(self, clip: str, kind: str) -> str:
        return f"{self._prefix}{clip}{kind}"


# Parts of a rule by which it moves or ends an object; one that clears away broken uploads does neither.
_MOVES: Final = frozenset({"Expiration", "Transitions", "NoncurrentVersionTransitions", "NoncurrentVersionExpiration"})


def _named(rule: dict[str, Any]) -> str:
    return str(rule.get("ID") or "?")


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "?"))


@contextmanager
def _told(clip: str, what: str) -> Iterator[None]:
    """What the client raises as `DeviceError`, without what it says of keys."""
    try:
        yield
    except ClientError as error:
        raise DeviceError(f"the copy of {clip or 'anything'} cannot {what} in the store: {_code(error)}") from error
    except (BotoCoreError, OSError) as error:
        raise DeviceError(f"the copy of {clip or 'anything'} cannot {what} in the store: {type(error).__name__}") from error


def _client(bucket: Bucket) -> Any:
    settings = Config(
        signature_version="s3v4",
        connect_timeout=_CONNECT_S,
        read_timeout=_READ_S,
        retries={"total_max_attempts": 2, "mode": "standard"},
        s3={"addressing_style": "path"},
    )
    return boto3.client(
        "s3",
        endpoint_url=bucket.endpoint,
        region_name=bucket.region,
        aws_access_key_id=bucket.access,
        aws_secret_access_key=bucket.secret,
        verify=str(bucket.authority) if bucket.authority is not None else True,
        config=settings,
    )
