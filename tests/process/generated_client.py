"""An administrator and an agent whose client was generated from openapi.json.

It is given what to do ("set-up" or "answer"), the server's address and a token. "set-up" prints the
agent's token.
"""

import sys
import time

from holdline_client import AuthenticatedClient
from holdline_client.api.agents import add_token, choose_presence, open_feed, put_agent, read_agent
from holdline_client.api.conversations import (
    accept_conversation,
    close_conversation,
    end_conversation,
    list_conversations,
    post_message,
    read_conversation,
    read_timeline,
    read_transcript,
)
from holdline_client.api.settings import put_queue, put_widget, put_workstream
from holdline_client.models import (
    AgentToPut,
    MessageDocument,
    PresenceDocument,
    PresenceDocumentPresence,
    Problem,
    ProblemCode,
    QueueToPut,
    TokenDocument,
    WidgetToPut,
    WorkstreamToPut,
)

PATIENCE = 20


def done(answer):
    """What was answered to something that had to succeed."""
    assert answer is not None and not isinstance(answer, Problem), answer
    return answer


def until(ask, holds):
    start = time.monotonic()
    while time.monotonic() < start + PATIENCE:
        answer = done(ask())
        if holds(answer):
            return answer
        time.sleep(0.02)
    raise AssertionError(f"waited in vain: {answer}")


def set_up(client):
    done(put_agent.sync("ada", client=client, body=AgentToPut(name="Ada", units=2)))
    done(put_queue.sync("line", client=client, body=QueueToPut(agents=["ada"])))
    stream = WorkstreamToPut(queue="line", window_s=5, heartbeat_s=1)
    done(put_workstream.sync("chat", client=client, body=stream))
    widget = WidgetToPut(workstream="chat", origins=["https://shop.example"])
    done(put_widget.sync("shop", client=client, body=widget))
    refused = put_widget.sync("shop", client=client, body=WidgetToPut(workstream="none", origins=["*"]))
    assert isinstance(refused, Problem) and refused.code == ProblemCode.INVALID_SETTINGS, refused
    print(done(add_token.sync("ada", client=client, body=TokenDocument(name="client"))).token)


def answer(client):
    feed = open_feed._get_kwargs("me")
    with client.get_httpx_client().stream(**feed) as events:
        assert events.status_code == 200
        available = PresenceDocument(presence=PresenceDocumentPresence.AVAILABLE)
        done(choose_presence.sync("me", client=client, body=available))
        mine = until(
            lambda: list_conversations.sync(client=client, agent="me"),
            lambda page: len(page.conversations) == 1,
        )
        chat = mine.conversations[0].id
        assert done(accept_conversation.sync(chat, client=client)).phase.value == "talking"
        said = MessageDocument(id="a1", text="It is on its way.")
        seq = done(post_message.sync(chat, client=client, body=said)).seq
        until(
            lambda: read_transcript.sync(chat, client=client),
            lambda page: any(one.seq > seq and one.text == "Thank you!" for one in page.entries),
        )
        assert done(read_agent.sync("me", client=client)).used == 1
        assert done(end_conversation.sync(chat, client=client)).state.value == "wrapup"
        done(close_conversation.sync(chat, client=client))
        assert done(read_conversation.sync(chat, client=client)).state.value == "closed"
        assert done(read_timeline.sync(chat, client=client)).entries


if __name__ == "__main__":
    part, address, token = sys.argv[1:]
    # A chat is read within seconds, and so is whatever else is asked.
    with AuthenticatedClient(base_url=address, token=token, timeout=PATIENCE) as client:
        {"set-up": set_up, "answer": answer}[part](client)
