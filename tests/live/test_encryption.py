"""TLS of an authority of the installation's own: on the running system."""

from __future__ import annotations

import contextlib
import ssl
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
import uvicorn
from cryptography import x509

from blickschutz.config.model import Server
from blickschutz.web.security import HEADERS, STRICT_TRANSPORT
from tests.live.system import RunningSystem, guest_site

pytestmark = [pytest.mark.peers, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    """The same with TLS, as beyond this machine; on loopback because a test goes no further."""
    base = tmp_path_factory.mktemp("tls")
    running = RunningSystem(guest_site(base, 1, tls=True, names=("localhost",)), base)
    yield running.system
    running.end()


def shown(context, name=None):
    """The certificate that somebody who connects to that context is shown, with or without the name of a host; TLS in memory."""
    asks = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    asks.check_hostname, asks.verify_mode = False, ssl.CERT_NONE
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    client, server = asks.wrap_bio(down, up, server_hostname=name), context.wrap_bio(up, down, server_side=True)
    for _ in range(3):
        for side in (client, server):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
    return client.getpeercert(binary_form=True)


class TestEncryption:
    def trusted(self, system):
        return ssl.create_default_context(cadata=system.tls.authority.pem.decode())

    def test_who_trusts_the_authority_gets_in_and_nobody_else(self, secure):
        port = secure.site.server.port
        with httpx.Client(verify=self.trusted(secure)) as requests:
            answer = requests.get(f"https://localhost:{port}/trust")
            assert secure.tls.authority.fingerprint in answer.text
            for name, value in (*HEADERS.items(), STRICT_TRANSPORT):
                assert answer.headers[name] == value
            assert requests.get(f"https://localhost:{port}/trust/authority.crt").content == secure.tls.authority.pem
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(f"https://localhost:{port}/trust")
        old = self.trusted(secure)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"https://localhost:{port}/trust", verify=old)
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://localhost:{port}/trust")

    def test_its_cookies_are_for_this_host_and_tls_only(self, secure):
        access = secure.records.office.access
        access.people.set_temporary("leitstelle-1", "vier Wörter ganz ohne Sinn", "test")
        with httpx.Client(verify=self.trusted(secure), base_url=f"https://localhost:{secure.site.server.port}") as requests:
            answer = requests.post("/sign-in", data={"person": "leitstelle-1", "password": "vier Wörter ganz ohne Sinn"})
            cookie = next(line for line in answer.headers.get_list("set-cookie") if "session" in line)
            assert cookie.startswith("__Host-session=")
            for part in ("Secure", "HttpOnly", "SameSite=strict", "Path=/"):
                assert part in cookie
            assert requests.get("/wall").headers["location"] == "/account?todo=password"

    def test_a_certificate_that_ends_soon_is_made_anew_and_names_bind_the_authority(self, tmp_path):
        from blickschutz.kernel.errors import OperatorError
        from blickschutz.vault.io.authority import SERVER_DAYS, Authority
        from tests.fakes.clock import ManualClock

        clock = ManualClock()
        authority = Authority(tmp_path, "Rathaus", ("schutz.lan", "192.168.40.2"), clock)
        first, is_new = authority.server()
        assert is_new
        assert authority.server() == (first, False)
        clock.sleep((SERVER_DAYS - 31) * 86_400.0)
        assert authority.server() == (first, False)
        clock.sleep(2 * 86_400.0)
        again = Authority(tmp_path, "Rathaus", ("schutz.lan", "192.168.40.2"), clock)
        second, is_new = again.server()
        assert is_new
        assert second.until - first.until > timedelta(days=50)
        assert again.fingerprint == authority.fingerprint
        with pytest.raises(OperatorError, match=r"not good for anders\.lan"):
            Authority(tmp_path, "Rathaus", ("anders.lan",), clock)
        constraints = x509.load_pem_x509_certificate(authority.pem).extensions.get_extension_for_class(x509.NameConstraints)
        assert constraints.critical
        assert (tmp_path / "authority.key").stat().st_mode & 0o077 == 0

    def test_a_running_server_takes_the_new_certificate(self, secure):
        folder = Path(secure.tls.files()[0]).parent
        before = ssl.get_server_certificate(("localhost", secure.site.server.port))
        (folder / "server.crt").unlink()
        secure.tls._looked -= 7200
        secure.tls.renew()
        assert ssl.get_server_certificate(("localhost", secure.site.server.port)) != before

    def test_a_context_that_is_served_is_left_alone_by_the_next_certificate(self, tmp_path):
        """A thread that loads one into it while somebody connects ends the process by a segmentation fault, in seconds where both go on."""
        from blickschutz.web.encryption import Encryption
        from tests.fakes.clock import ManualClock

        log, config = SimpleNamespace(write=lambda *_, **__: None), uvicorn.Config(lambda: None)
        tls = Encryption("Rathaus", Server(tls=True, names=("localhost",)), tmp_path, clock := ManualClock(), log)
        tls.apply(config)
        before = shown(config.ssl)
        assert shown(config.ssl, "localhost") == before
        clock.sleep(61 * 86_400.0)
        tls.renew()
        assert shown(config.ssl) != before
        assert shown(config.ssl, "localhost") == shown(config.ssl)
        config.ssl.sni_callback = None
        assert shown(config.ssl) == before
