"""Broker, mail server and webhook, real ones; each can be gone, hang, or answer with an error."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from aiosmtpd.controller import Controller
from benchmarks.faults.template import BROKER_PORT, HOOK_PORT, MAIL_PORT
from paho.mqtt.enums import CallbackAPIVersion
from tests.peers.broker import RealBroker

SLOW_S = 20.0
# As `docs/mqtt.md` has it: prefix, and the site of the template.
_TOPIC = "blickschutz/fehlerprobe"


class Broker:
    """mosquitto, and a client of ours that hears what is told and speaks as the cameras do."""

    def __init__(self, folder: Path) -> None:
        self._broker = RealBroker(BROKER_PORT, folder)
        self._broker.start()
        self.up, self.changes = True, 0
        self.heard: list[dict[str, Any]] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *rest: client.subscribe(f"{_TOPIC}/alerts/#", 1)
        self._client.on_message = lambda client, userdata, item: self.heard.append(json.loads(item.payload))
        self._client.connect("127.0.0.1", BROKER_PORT)
        self._client.loop_start()

    def publish(self, camera: str, payload: dict[str, Any]) -> bool:
        """Say something as a camera; whether the broker has it."""
        if not self.up:
            return False
        sent = self._client.publish(f"{_TOPIC}/cameras/{camera}/events", json.dumps(payload), 1)
        try:
            sent.wait_for_publish(3)
        except (ValueError, RuntimeError):
            return False
        return sent.is_published()

    def set(self, mode: str) -> None:
        """ "gone", "hangs" or "" (as it should be)."""
        self.up = not mode
        self.changes += 1
        process = self._broker._process
        if mode == "gone":
            self._broker.stop()
        elif mode == "hangs" and process is not None:
            os.kill(process.pid, signal.SIGSTOP)
        elif process is None or process.poll() is not None:
            self._broker.start()
        else:
            os.kill(process.pid, signal.SIGCONT)

    def end(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self.set("")
        self._broker.stop()


class Mail:
    """A mail server (aiosmtpd)."""

    def __init__(self) -> None:
        self.mode, self.heard = "", list[str]()
        self._controller: Controller | None = None
        self.set("")

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the library's name
        del server, session
        if self.mode == "errors":
            return "451 Requested action aborted"
        self.heard.append(envelope.content.decode(errors="replace"))
        return "250 OK"

    async def handle_EHLO(self, server: Any, session: Any, envelope: Any, hostname: str) -> str:  # noqa: N802 - the library's name
        del server, envelope
        import asyncio

        session.host_name = hostname
        end = time.monotonic() + SLOW_S
        while self.mode == "hangs" and time.monotonic() < end:  # noqa: ASYNC110 - another thread changes it
            await asyncio.sleep(0.1)
        return "250 HELP"

    def set(self, mode: str) -> None:
        """ "gone", "hangs", "errors" or ""."""
        self.mode = mode
        if mode == "gone" and self._controller is not None:
            self._controller.stop()
            self._controller = None
        elif mode != "gone" and self._controller is None:
            self._controller = Controller(self, hostname="127.0.0.1", port=MAIL_PORT, ready_timeout=20)
            self._controller.start()

    def end(self) -> None:
        if self._controller is not None:
            self._controller.stop()


class Hook:
    """A web server that takes alerts."""

    def __init__(self) -> None:
        self.mode, self.heard = "", list[dict[str, Any]]()
        self._server: ThreadingHTTPServer | None = None
        self.set("")

    def set(self, mode: str) -> None:
        """ "gone", "hangs", "errors" or ""."""
        self.mode = mode
        if mode == "gone" and self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        elif mode != "gone" and self._server is None:
            hook = self

            class Handler(BaseHTTPRequestHandler):
                def do_POST(self) -> None:
                    data = self.rfile.read(int(self.headers.get("content-length", 0)))
                    end = time.monotonic() + SLOW_S
                    while hook.mode == "hangs" and time.monotonic() < end:
                        time.sleep(0.1)
                    if hook.mode != "errors":
                        hook.heard.append(json.loads(data))
                    self.send_response(500 if hook.mode == "errors" else 204)
                    self.end_headers()

                def log_message(self, format: str, *args: object) -> None:
                    del format, args

            class Server(ThreadingHTTPServer):
                daemon_threads = True
                allow_reuse_address = True

                def handle_error(self, request: object, address: object) -> None:
                    """A caller that goes away before it is answered is what some of these rounds are about."""

            self._server = Server(("127.0.0.1", HOOK_PORT), Handler)
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def end(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


class Peers:
    """All three."""

    def __init__(self, folder: Path) -> None:
        self.broker, self.mail, self.hook = Broker(folder), Mail(), Hook()

    def heal(self) -> None:
        for peer in (self.broker, self.mail, self.hook):
            peer.set("")

    def forget(self) -> None:
        """What was heard in earlier rounds."""
        for peer in (self.broker, self.mail, self.hook):
            peer.heard.clear()

    def has_heard(self, alert: int) -> dict[str, bool]:
        """Which channels were told of an alert."""
        return {
            "mqtt": any(one["alert"] == alert for one in list(self.broker.heard)),
            "hook": any(one.get("alert") == alert for one in list(self.hook.heard)),
            "mail": any(f" {alert}:" in one for one in list(self.mail.heard)),
        }

    def end(self) -> None:
        for peer in (self.broker, self.mail, self.hook):
            peer.end()
