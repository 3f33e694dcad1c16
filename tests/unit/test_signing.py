"""Signed webhooks: the vector that the standard's own libraries are tested with, and what a receiver gets."""

from __future__ import annotations

import base64
import json

import pytest

from blickschutz.alerts.io.channels import Webhook
from blickschutz.alerts.io.signing import Signing, read_key, signature
from blickschutz.alerts.model import FaultNotice
from blickschutz.kernel.errors import OperatorError
from tests.fakes.clock import ManualClock

# github.com/standard-webhooks/standard-webhooks, libraries: test "sign function works".
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
FAULT = FaultNotice("disk-7", "disk", "full", False, 1.7e9)


def test_the_vector_of_the_standard():
    made = signature(read_key(SECRET), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_kurz", "whsec_" + base64.b64encode(bytes(65)).decode(), "whsec_%%%%" * 8],
)
def test_a_secret_that_is_none_is_refused_with_what_makes_one(secret):
    with pytest.raises(OperatorError, match=r"openssl rand -base64 32") as refused:
        read_key(secret)
    assert len(secret) < 10 or secret not in str(refused.value)


class Sent(Webhook):
    """Keeps what would be sent; every other answer is a refusal."""

    def __init__(self, signing):
        super().__init__("hook", "https://desk.example/alerts", "Rathaus", "de", signing=signing)
        self.sent = []

    def _status(self, data, headers):
        self.sent.append((data, dict(headers)))
        return 200


def test_each_try_is_signed_anew_under_the_same_id():
    clock = ManualClock()
    hook = Sent(Signing(read_key(SECRET), "0123456789abcdef", clock))
    hook.send_fault(FAULT)
    clock.time += 600
    hook.send_fault(FAULT)
    for data, headers in hook.sent:
        assert json.loads(data)["fault"] == "disk-7"
        assert headers["webhook-id"] == "blickschutz-0123456789abcdef-fault-disk-7"
        at = int(headers["webhook-timestamp"])
        assert headers["webhook-signature"] == signature(read_key(SECRET), headers["webhook-id"], at, data)
    times = [int(headers["webhook-timestamp"]) for _, headers in hook.sent]
    assert times[1] - times[0] == 600


def test_without_a_secret_nothing_is_signed():
    hook = Sent(None)
    hook.send_fault(FAULT)
    assert not [name for name in hook.sent[0][1] if name.startswith("webhook-")]


def test_the_key_is_in_no_text_of_it():
    assert "key" not in repr(Signing(read_key(SECRET), "0123456789abcdef", ManualClock()))
