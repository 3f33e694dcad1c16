"""The configuration of the broker, from the hosts that are enrolled: TLS both ways, one user for each certificate, its subjects alone."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from blickschutz.hosts.rules.subjects import ROOM, Rights, rights_of_host, rights_of_room, user


@dataclass(frozen=True, slots=True)
class Broker:
    """Where it listens, what it may use, which files prove it. Paths are its own machine's."""

    host: str
    port: int
    certificate: str
    key: str
    authority: str
    store: str
    most_bytes: int = 1 << 30


def configuration(broker: Broker, installation: str, hosts: Sequence[str] | Mapping[str, str], keepers: Collection[str] = ()) -> str:
    """For `nats-server -c`. Nobody is let in without a certificate of the authority that names one of these users.

    `hosts` are those that may connect, with the enrolment of each; `keepers` those that keep copies of others' clips.
    """
    enrolled = hosts if isinstance(hosts, Mapping) else dict.fromkeys(hosts, "")
    users = [_user(user(installation, ROOM), rights_of_room(installation))]
    users += [
        _user(user(installation, host, enrolment), rights_of_host(installation, host, keeps_copies=host in keepers))
        for host, enrolment in enrolled.items()
    ]
    lines = "\n".join(users)
    return f"""# Made from the hosts of the installation; what is changed here is lost.
listen: {json.dumps(f"{broker.host}:{broker.port}")}
max_payload: 1MB
write_deadline: "5s"
tls {{
  cert_file: {json.dumps(broker.certificate)}
  key_file: {json.dumps(broker.key)}
  ca_file: {json.dumps(broker.authority)}
  verify_and_map: true
  timeout: 5
}}
jetstream {{
  store_dir: {json.dumps(broker.store)}
  max_memory_store: 64MB
  max_file_store: {broker.most_bytes}
}}
accounts {{
  SITE {{
    jetstream: enabled
    users: [
{lines}
    ]
  }}
}}
"""


def _user(name: str, rights: Rights) -> str:
    ways = (("publish", rights.publish), ("subscribe", rights.subscribe))
    allowed = ", ".join(f"{way}: {{ allow: {json.dumps(list(one))} }}" for way, one in ways)
    return f"      {{ user: {json.dumps(name)}, permissions: {{ {allowed}, allow_responses: true }} }}"
