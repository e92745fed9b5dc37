"""The AsyncAPI 3 document: every topic, who writes it, its key, its messages with an example each. Pure.

Owns how topics are told to programs; the topics are `topics`' own, the messages those of the event classes and of
`engine.service.outgoing`. Schemas of `data` stand in files of their own beside the document (`schemas/TYPE.json`), except
those of outgoing messages, which say what a topic adds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.domain.events import TYPES
from engine.domain.events.examples import example
from engine.domain.events.schemas import INSTANT, description, short, topic
from engine.service.outgoing import OUTGOING, Outgoing, samples
from streams import topics
from streams.topics import Topic

VERSION: Final = "1.0.0"
"""Of the interface. A new field or type raises the second number; a breaking change is a new type, `.vN`."""
CONTENT: Final = "application/cloudevents+json"

_NAME: Final = {"type": "string", "minLength": 1, "maxLength": 256}
ENVELOPE: Final[dict[str, Any]] = {
    "title": "CloudEvents 1.0, structured mode, with Covenant's extensions",
    "type": "object",
    "properties": {
        "specversion": {"const": "1.0"},
        "id": _NAME | {"description": "With `source` it identifies the event: what comes twice is known as such."},
        "source": _NAME | {"description": "Who says so, as a URI or a name."},
        "type": _NAME | {"description": "compute.<entity>.<verb>.v<N>."},
        "time": INSTANT | {"description": "When it happened; at most 5 minutes past the time of recording."},
        "subject": {"type": ["string", "null"], "maxLength": 256},
        "datacontenttype": {"const": "application/json"},
        "dataschema": {"type": "string", "description": "urn:covenant:schema:<type>."},
        "organisation": {
            "type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[^/]*$",
            "description": "Extension: within which all keys and questions are.",
        },
        "correlationid": {"type": ["string", "null"], "maxLength": 256, "description": "Extension: the case it belongs to."},
        "causationid": {"type": ["string", "null"], "maxLength": 1024, "description": "Extension: the event that caused it."},
        "recordedat": INSTANT | {"description": "Extension: when it was learnt; honoured only under a setting."},
        "partitionkey": {"type": "string", "description": "Extension, read and not used: the message's key says it."},
        "dataclassification": {"type": "string", "description": "Extension, read and not used."},
        "traceparent": {"type": "string", "description": "W3C trace context."},
        "tracestate": {"type": "string", "description": "W3C trace context."},
        "data": {"description": "What the event says; its schema is that of its type."},
    },
    "required": ["id", "source", "type", "time", "organisation"],
    "additionalProperties": False,
}  # fmt: skip

KEYS: Final = {
    "covenant.grants": "acme/person/p-17, acme/alias/grant:G-2025-017 where no holder is named, acme/pool/plan-2025",
    "covenant.usage": "acme/person/p-17, else acme/alias/credential:sha256:9f86d081 or another alias",
    "covenant.repository-activity": "acme/repository/github.com#17273051",
    "covenant.people": "acme/person/p-17; acme/alias/login:github.com/ada of a link; what an approval is about",
    "covenant.reviews": "the finding's aggregate: acme/person/p-17",
    topics.DERIVED: "the aggregate that is told",
    topics.REFERENCE: "the organisation: acme",
    topics.VIOLATIONS: "the finding's aggregate, people by pseudonym: acme/person/<hex>",
    topics.CURRENT: "the violation's id; without a value: erased",
    topics.FINDINGS: "the finding's aggregate: acme/person/p-17",
    topics.AUDIT: "the organisation: acme",
    topics.DEAD_LETTERS: "the source of what was refused",
}
"""Topic → its messages' key, by example."""


def document() -> dict[str, Any]:
    """Give the whole document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Covenant",
            "version": VERSION,
            "description": "Events that Covenant takes in, and what it says of them. Order holds within a key. Messages may "
            "come twice: an id is a function of what was recorded.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT,
        "channels": {_ident(one.name): _channel(one) for one in topics.ALL},
        "operations": {_operation(one): _does(one) for one in topics.ALL},
        "components": {"schemas": {"envelope": ENVELOPE}, "messages": _inbound() | _outbound()},
    }


def _ident(name: str) -> str:
    return name.removeprefix("covenant.").replace(".", "-")


def _messages(name: str) -> list[str]:
    """Name the messages of a topic, as the document's components have them."""
    inbound = [short(kind) for kind, cls in TYPES.items() if topic(cls) == name]
    return sorted(inbound) or [_message(one) for one in OUTGOING if one.topic == name]


def _message(one: Outgoing) -> str:
    return f"{_ident(one.topic)}.{one.type}"


def _channel(one: Topic) -> dict[str, Any]:
    cleanup = {key: value for key, value in one.configs.items() if key in ("retention.ms", "max.message.bytes")}
    settings = {"cleanup.policy": [one.configs["cleanup.policy"]]} | {key: int(value) for key, value in cleanup.items()}
    kafka: dict[str, Any] = {"topic": one.name, "topicConfiguration": settings, "bindingVersion": "0.5.0"}
    return {
        "address": one.name,
        "description": one.carries[0].upper() + one.carries[1:] + ".",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _messages(one.name)},
        "bindings": {"kafka": kafka | ({"partitions": 1} if one.single else {})},
    }


def _operation(one: Topic) -> str:
    return ("say-" if one in topics.OUTBOUND else "take-") + _ident(one.name)


def _does(one: Topic) -> dict[str, Any]:
    channel = _ident(one.name)
    return {
        "action": "send" if one in topics.OUTBOUND else "receive",
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in _messages(one.name)],
    }


def _inbound() -> dict[str, Any]:
    return {
        short(name): _described(name, description(kind), topic(kind), {"$ref": f"./schemas/{name}.json"}, example(name))
        for name, kind in TYPES.items()
    }


def _outbound() -> dict[str, Any]:
    return {
        _message(one): _described(one.name, one.says, one.topic, one.schema, samples()[one.topic, one.name]) for one in OUTGOING
    }


def _described(name: str, says: str, where: str, data: Mapping[str, Any], shown: Mapping[str, Any]) -> dict[str, Any]:
    own = {"type": "object", "properties": {"type": {"const": name}, "data": data}}
    return {
        "name": name,
        "title": short(name).replace(".", " ").replace("_", " ").capitalize(),
        "summary": says,
        "contentType": CONTENT,
        "payload": {"allOf": [{"$ref": "#/components/schemas/envelope"}, own]},
        "bindings": {"kafka": {"key": {"type": "string", "description": KEYS[where]}, "bindingVersion": "0.5.0"}},
        "examples": [{"name": "example", "payload": shown}],
    }
