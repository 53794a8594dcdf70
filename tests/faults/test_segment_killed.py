"""A worker killed while it sends to Segment, or between two attempts: the messageId stays the same."""

import json
import signal
from pathlib import Path

import pytest

from tests.faults.given import SHOP, the_horse
from tests.support.audit import open_work
from tests.support.destination import Answer
from tests.support.processes import parent, until
from tests.support.segment_stand_in import SegmentStandIn
from tests.support.sender import Sender
from tests.support.stack import SECRET, Stack, signal_process

pytestmark = pytest.mark.faults

ROUTES = """{shop}
connections:
  crm: {{write_key_env: WRITE_KEY, region: {{tracking: "{url}"}}}}
routes:
  tell:
    retry: [2s, 2s]
    steps:
      - segment: {{connection: crm, call: track, userId: "{{{{ userId }}}}", event: Seen}}
"""


@pytest.mark.parametrize(
    "first", [Answer(behaviour="hang"), Answer(status=503)], ids=["meanwhile", "between"]
)
def test_a_killed_worker_sends_the_same_message_id_again(tmp_path: Path, first: Answer) -> None:
    with (
        SegmentStandIn(first) as segment,
        Stack(tmp_path, ROUTES.format(shop=SHOP, url=segment.url), environ={"WRITE_KEY": "key"}) as stack,
    ):
        with Sender(f"{stack.url}/hooks/shop", SECRET) as sender:
            body = {"type": "track", "event": "Seen", "messageId": "m-1", "userId": "u-1"}
            assert sender.send(json.dumps(body).encode()).status == 200
        segment.wait_for(1)
        horse = the_horse(stack)
        for pid in (parent(horse), horse):
            signal_process(pid, signal.SIGKILL)
        until(lambda: not open_work(stack.store), 60, what="the delivery")
        ids = [seen.json()["batch"][0]["messageId"] for seen in segment.requests]
        assert len(ids) >= 2
        assert len(set(ids)) == 1
        assert [item["messageId"] for item in segment.items] == ids[:1]
