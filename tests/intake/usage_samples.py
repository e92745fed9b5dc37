"""Small files of the sources of usage, bills and grants: each has records that are taken in and records that are refused."""

from __future__ import annotations

import base64
from typing import Any

from tests.intake.samples import encoded

TRACE = "5b8efff798038103d269b633813fc60c"
SPAN = "eee19b7ec3c1b174"


def spend(**changed: Any) -> dict[str, Any]:
    """Make a spend record of LiteLLM; a change of None takes the column away."""
    whole = {
        "request_id": "chatcmpl-1",
        "call_type": "acompletion",
        "api_key": "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b",
        "startTime": "2026-03-04 05:06:07.847371",
        "endTime": "2026-03-04 05:06:08.951954",
        "model": "gpt-4o",
        "custom_llm_provider": "openai",
        "spend": 0.000225,
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "total_tokens": 120,
        "cache_hit": "False",
        "status": "success",
        "metadata": '{"usage_object": {"prompt_tokens_details": {"cached_tokens": 40}}}',
        "request_tags": '["repository:github.com#17", "nightly"]',
        "end_user": "",
    }
    return {key: value for key, value in (whole | changed).items() if value is not None}


def attribute(key: str, value: str | int) -> dict[str, Any]:
    """Wrap an attribute as OTLP/JSON does: 64-bit numbers are text."""
    return {"key": key, "value": {"stringValue": value} if isinstance(value, str) else {"intValue": str(value)}}


def span(*attributes: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """Make a span."""
    return {
        "traceId": TRACE,
        "spanId": SPAN,
        "name": "chat gpt-4o",
        "startTimeUnixNano": "1772600767000000000",
        "endTimeUnixNano": "1772600768500000999",
        "attributes": list(attributes),
        **changed,
    }


def spans(*many: dict[str, Any], service: str = "assistant") -> dict[str, Any]:
    """Make an exporter's request of spans."""
    resource = {"attributes": [attribute("service.name", service)]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "s"}, "spans": list(many)}]}]}


def metrics(name: str, held: dict[str, Any]) -> dict[str, Any]:
    """Make an exporter's request of one metric."""
    resource = {"attributes": [attribute("service.name", "assistant")]}
    return {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [{"name": name, **held}]}]}]}


def token_points(temporality: int | str = 1) -> dict[str, Any]:
    """Make a histogram of tokens with a point of each kind."""
    times = {"startTimeUnixNano": "1772600700000000000", "timeUnixNano": "1772600760000000000"}
    points = [
        {
            **times,
            "count": "2",
            "sum": total,
            "attributes": [attribute("gen_ai.token.type", kind), attribute("gen_ai.system", "openai")],
        }
        for kind, total in (("input", 300), ("output", 70.0))
    ]
    return {"histogram": {"aggregationTemporality": temporality, "dataPoints": points}}


def metered(**changed: Any) -> dict[str, Any]:
    """Make a usage event of OpenMeter."""
    whole = {
        "specversion": "1.0",
        "type": "prompt",
        "id": "00001",
        "time": "2026-01-01T00:00:00.001Z",
        "source": "chat-app",
        "subject": "p-1",
        "data": {"tokens": "123456", "model": "gpt4-turbo", "type": "output"},
    }
    return {key: value for key, value in (whole | changed).items() if value is not None}


def granted(**changed: Any) -> dict[str, Any]:
    """Make a grant of OpenMeter."""
    whole = {
        "id": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "amount": 100,
        "priority": 1,
        "effectiveAt": "2026-01-31T00:00:00Z",
        "expiration": {"duration": "MONTH", "count": 1},
        "maxRolloverAmount": 50.5,
        "minRolloverAmount": 0,
        "metadata": {"unit": "CCU"},
        "entitlementId": "01ARZ3NDEKTSV4RRFFQ69G5FAW",
        "subjectKey": "p-1",
        "createdAt": "2026-01-30T09:00:00Z",
    }
    return {key: value for key, value in (whole | changed).items() if value is not None}


def completion(**changed: Any) -> dict[str, Any]:
    """Make a chat completion of OpenAI."""
    usage = {
        "prompt_tokens": 39,
        "completion_tokens": 160,
        "total_tokens": 199,
        "prompt_tokens_details": {"cached_tokens": 30},
        "completion_tokens_details": {"reasoning_tokens": 100},
    }
    whole = {"id": "chatcmpl-8", "object": "chat.completion", "created": 1_772_600_767, "model": "gpt-4o-2024", "usage": usage}
    return {key: value for key, value in (whole | changed).items() if value is not None}


def message(**changed: Any) -> dict[str, Any]:
    """Make a message of Anthropic."""
    usage = {"input_tokens": 4, "cache_creation_input_tokens": 1000, "cache_read_input_tokens": 200, "output_tokens": 50}
    whole = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-3-5-sonnet", "content": [], "usage": usage}
    return {key: value for key, value in (whole | changed).items() if value is not None}


def recorded(response: Any, **changed: Any) -> dict[str, Any]:
    """Make the record of a call."""
    whole = {
        "uri": "https://api.example.org/v1",
        "status": 200,
        "headers": {"Date": "Wed, 04 Mar 2026 05:06:07 GMT", "x-request-id": "req_1"},
        "credential": "k-1",
        "response": response,
    }
    return {key: value for key, value in (whole | changed).items() if value is not None}


def job(**changed: Any) -> dict[str, Any]:
    """Make a job of `sacct --json` that held two GPUs for three and a half hours."""
    whole = {
        "job_id": 8,
        "cluster": "alpha",
        "user": "ann",
        "state": {"current": ["COMPLETED"], "reason": "None"},
        "time": {
            "elapsed": 12_600,
            "start": 1_772_600_400,
            "end": 1_772_613_000,
            "limit": {"set": True, "infinite": False, "number": 1440},
        },
        "tres": {"allocated": [{"type": "cpu", "name": "", "count": 2}, {"type": "gres", "name": "gpu:v100", "count": 2}]},
    }
    return {key: value for key, value in (whole | changed).items() if value is not None}


def answer(*jobs: dict[str, Any]) -> dict[str, Any]:
    """Make an answer of Slurm."""
    return {"jobs": list(jobs), "meta": {"slurm": {"cluster": "alpha", "release": "25.05.2"}}, "errors": [], "warnings": []}


def ocf(kind: str, /, **changed: Any) -> dict[str, Any]:
    """Make an item of an OCF document; a change of None takes the field away."""
    whole = {"object_type": kind, "id": f"{kind.lower()}-1", "security_id": "s-1", "date": "2026-01-15"}
    return {key: value for key, value in (whole | changed).items() if value is not None}


def issued(**changed: Any) -> dict[str, Any]:
    """Make an issuance of 4,800 units to p-1."""
    terms = {"stakeholder_id": "p-1", "custom_id": "C-1", "compensation_type": "RSU", "quantity": "4800", "unit": "CCU"}
    return ocf("TX_EQUITY_COMPENSATION_ISSUANCE", **(terms | changed))


def condition(name: str, kind: str, portion: tuple[int, int] | None, *following: str, **trigger: Any) -> dict[str, Any]:
    """Make a vesting condition of a portion (numerator, denominator)."""
    held = {"portion": {"numerator": str(portion[0]), "denominator": str(portion[1])}} if portion else {"quantity": "0"}
    return {"id": name, "trigger": {"type": kind, **trigger}, "next_condition_ids": list(following), **held}


def months(length: int, occurrences: int, **more: Any) -> dict[str, Any]:
    """Make a period of months from the vesting start's day."""
    day = "VESTING_START_DAY_OR_LAST_DAY_OF_MONTH"
    return {"length": length, "type": "MONTHS", "occurrences": occurrences, "day_of_month": day, **more}


def four_years(name: str = "4y") -> dict[str, Any]:
    """Make vesting terms of four years by month with a cliff of one."""
    relative = "VESTING_SCHEDULE_RELATIVE"
    return {
        "object_type": "VESTING_TERMS",
        "id": name,
        "allocation_type": "CUMULATIVE_ROUNDING",
        "vesting_conditions": [
            condition("start", "VESTING_START_DATE", None, "cliff"),
            condition("cliff", relative, (12, 48), "monthly", relative_to_condition_id="start", period=months(12, 1)),
            condition("monthly", relative, (1, 48), relative_to_condition_id="cliff", period=months(1, 36)),
        ],
    }


def credits_item(**changed: Any) -> dict[str, Any]:
    """Make a month's item of a user of Copilot: 350 credits, of which the plan includes 230."""
    whole = {
        "product": "Copilot",
        "sku": "copilot_ai_credit",
        "model": "GPT-5",
        "unitType": "ai-credits",
        "pricePerUnit": 0.01,
        "grossQuantity": 350.5,
        "discountQuantity": 230.25,
        "netQuantity": 120.25,
        "netAmount": 1.2025,
        "user": "monalisa",
    }
    return {key: value for key, value in (whole | changed).items() if value is not None}


def month_report(*items: dict[str, Any]) -> dict[str, Any]:
    """Make a report of June."""
    return {"timePeriod": {"year": 2026, "month": 6}, "organization": "octodemo", "usageItems": list(items)}


LITELLM = encoded(
    spend(),
    spend(request_id="chatcmpl-2", api_key="", user="ann@acme.org", cache_hit="True"),
    [spend(request_id="chatcmpl-3", call_type="aembedding", completion_tokens=0, metadata={}, request_tags=["job:77"])],
    spend(request_id="chatcmpl-4", prompt_tokens=-1),
    spend(request_id="chatcmpl-5", endTime="yesterday"),
)
OTEL = encoded(
    spans(span(attribute("gen_ai.usage.input_tokens", 12), attribute("gen_ai.usage.output_tokens", 8))),
    spans(span(attribute("llm.usage.prompt_tokens", 3), spanId=base64.b64encode(bytes(range(8))).decode())),
    spans(span(attribute("http.request.method", "GET"), name="GET /")),
    metrics("gen_ai.client.token.usage", token_points()),
    metrics("gen_ai.client.token.usage", token_points(2)),
    metrics("process.cpu.time", {"sum": {"dataPoints": [{"asDouble": 1.5}]}}),
)
OPENMETER = encoded(
    metered(),
    metered(id="00002", type="gpu_time", data={"duration_seconds": "12345", "gpu_type": "nvidia_A100"}),
    granted(),
    {"items": [granted(id="g-2", voidedAt="2026-02-02T00:00:00Z", recurrence={"interval": "P1M"})], "page": 1},
    metered(id="00003", data={"requests": 1}),
    granted(id="g-3", subjectKey=None),
)
OPENAI = encoded(
    recorded(completion()),
    completion(id="chatcmpl-9"),
    recorded({"object": "list", "data": [], "model": "ada", "usage": {"prompt_tokens": 8, "total_tokens": 8}}),
    recorded({"id": "run_1", "object": "thread.run", "created_at": 1_772_600_767, "status": "queued", "usage": None}),
    recorded({"error": {"type": "insufficient_quota"}}),
)
ANTHROPIC = encoded(
    recorded(message()),
    recorded(
        'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_2","type":"message","usage":{"input_tokens":17,'
        '"output_tokens":1}}}\n\nevent: message_delta\ndata: {"type":"message_delta","usage":{"output_tokens":108}}\n\n'
    ),
    message(id="msg_3"),
    recorded(message(id="msg_4", usage=None)),
)
SLURM = encoded(
    answer(job()),
    answer(job(job_id=9, state="RUNNING"), job(job_id=10, state=["PENDING"])),
    {"qos": [{"name": "normal"}]},
    {"job": job(job_id=11, user=None, user_name="bob", tres=None, tres_alloc_str="cpu=4,gres/gpu:a100=3", state="TIMEOUT")},
)
SACCT = (
    b"JobIDRaw|JobID|Cluster|User|Start|End|Elapsed|State|AllocTRES|Timelimit|JobName\n"
    b"8|8|alpha|ann|2026-03-04T05:00:00|2026-03-04T08:30:00|03:30:00|COMPLETED|"
    b"cpu=2,gres/gpu=2,gres/gpu:v100=2|1-00:00:00|train|it\n"
    b"9|9|alpha|ann|2026-03-04T05:00:00|Unknown|1-01:00:00|RUNNING|gres/gpu=1|UNLIMITED|run\n"
    b"10|10_3|alpha|bob|2026-03-04T05:00:00|2026-03-04T05:00:01|00:00:01|CANCELLED by 17||Partition_Limit|a\n"
    b"11|11|alpha|bob|Unknown|Unknown|00:00:00|PENDING||1-00:00:00|b\n"
    b"8|8.batch|alpha||2026-03-04T05:00:00|2026-03-04T08:30:00|03:30:00|COMPLETED|cpu=2||batch\n"
)
FOCUS = (
    b"BilledCost,BillingAccountId,BillingCurrency,ChargeCategory,ChargeClass,ChargePeriodEnd,ChargePeriodStart,ConsumedQuantity,"
    b"ConsumedUnit,EffectiveCost,ListUnitPrice,ProviderName,RegionId,ServiceName,SkuPriceId,SubAccountId\n"
    b"0.0000160599,42,USD,Usage,NULL,2024-09-18 23:00:00,2024-09-18 22:00:00,2.00,Requests,0.5,0,AWS,us-west-2,SQS,G95,7\n"
    b"-3.00,42,USD,Credit,Correction,2024-10-01T00:00:00Z,2024-09-01T00:00:00Z,,,-3.00,NULL,AWS,,,,\n"
    b"1.00,42,USD,Usage,NULL,2024-09-18 23:00:00,2024-09-18 22:00:00,1,Requests,1.00,1,AWS,us-west-2,SQS,G95,7\n"
    b"1.00,42,USD,Usage,NULL,2024-09-18 23:00:00,2024-09-18 22:00:00,1,Requests,1.00,1,AWS,us-west-2,SQS,G95,7\n"
    b"1.00,42,USD,Gift,NULL,2024-09-18 23:00:00,2024-09-18 22:00:00,1,Requests,1.00,1,AWS,us-west-2,SQS,G95,7\n"
)
OCF = encoded(
    {
        "file_type": "OCF_TRANSACTIONS_FILE",
        "items": [four_years(), issued(vesting_terms_id="4y"), ocf("TX_VESTING_START", id="v-1")],
    },
    issued(id="i-2", security_id="s-2", vestings=[{"date": "2026-06-01", "amount": "4800"}]),
    ocf("TX_PLAN_SECURITY_CANCELLATION", quantity="4800", reason_text="left"),
    ocf("TX_EQUITY_COMPENSATION_EXERCISE", quantity="10", resulting_security_ids=[]),
    ocf("CE_STAKEHOLDER_STATUS", id="e-1", stakeholder_id="p-1", new_status="TERMINATION_VOLUNTARY_OTHER"),
    ocf("TX_STOCK_ACCEPTANCE"),
    issued(id="i-3", security_id="s-3", vesting_terms_id="unheard"),
)
COPILOT = encoded(
    month_report(credits_item(), credits_item(user="hubot", discountQuantity=0), credits_item(user=None)),
    {"seats": [{"created_at": "2026-01-03T09:00:00Z", "plan_type": "business", "assignee": {"login": "Hubot", "id": 7}}]},
    {"day_totals": [{"day": "2026-03-30", "user_login": "hubot", "organization_id": "1", "ai_credits_used": 2.81}]},
    {"day_totals": [{"day": "2026-02-30", "user_login": "hubot"}]},
)
