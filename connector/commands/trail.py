"""What the audit is told: who asked for what, on whom, through which source, and what became of it. No secrets."""

from __future__ import annotations

from connector.model import Asker, Operation


def intent(operation: Operation, asker: Asker) -> dict[str, object]:
    """Kept before anything is done."""
    return {"what": "intent", **_about(operation, asker), "asked": dict(operation.asked)}


def outcome(operation: Operation, asker: Asker) -> dict[str, object]:
    """Kept when the operation has ended."""
    record: dict[str, object] = {
        "what": "outcome",
        **_about(operation, asker),
        "state": operation.state,
        "steps": [
            {
                "step": each.step.verb.value,
                "attribute": each.step.attribute,
                "value": each.step.value,
                "result": each.result.value if each.result is not None else "unknown",
                "reason": each.reason,
            }
            for each in operation.steps
            if not each.earlier
        ],
    }
    if "error" in operation.answer:
        record["error"] = operation.answer["sentence"]
        record["awsRequestId"] = operation.answer.get("request_id")
    return record


def _about(operation: Operation, asker: Asker) -> dict[str, object]:
    return {
        "operation": operation.id,
        "command": operation.command,
        "source": operation.source,
        "account": operation.account,
        "caller": operation.caller,
        "request": asker.request_id,
    }
