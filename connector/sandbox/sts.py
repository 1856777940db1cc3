"""The STS service: who is calling, and roles with an external id.

Query protocol: dispatch.py hands over the decoded form and renders the answer as XML here. AssumeRole checks that the
role is known and its external id given; callers.py knows the credentials that it hands out until they expire.
"""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape  # only writes # nosec B406

from connector.sandbox.call import Answer, Call, Operation
from connector.sandbox.errors import AwsError
from connector.sandbox.models import operation_model
from connector.sandbox.organisation import Session

NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


def parameters_of(body: bytes) -> tuple[str, dict[str, Any]]:
    """The operation and its parameters in a form; members of lists, which no operation here reads, are left out."""
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    operation = form.pop("Action", "")
    form.pop("Version", None)
    found: dict[str, Any] = {name: value for name, value in form.items() if "." not in name}
    if str(found.get("DurationSeconds", "")).isdigit():
        found["DurationSeconds"] = int(found["DurationSeconds"])
    return operation, found


def GetCallerIdentity(call: Call) -> Answer:
    """The caller; nobody is denied this."""
    return {"UserId": call.caller.user_id, "Account": call.caller.account_id, "Arn": call.caller.arn}


def AssumeRole(call: Call) -> Answer:
    """Temporary credentials of a role, for a caller that knows its external id."""
    organisation = call.organisation
    role = organisation.roles.get(call["RoleArn"])
    if role is None or (role.external_id is not None and call.get("ExternalId") != role.external_id):
        # AWS does not tell an unknown role from one whose trust policy says no.
        message = f"User: {call.caller.arn} is not authorized to perform: sts:AssumeRole on resource: {call['RoleArn']}"
        raise AwsError("AccessDenied", message, status=403)
    account_id, name = role.arn.split(":")[4], role.arn.rsplit("/", 1)[1]
    unique = organisation.hexadecimal(16).upper()
    arn = f"arn:{organisation.partition}:sts::{account_id}:assumed-role/{name}/{call['RoleSessionName']}"
    lifetime = call.options.session_seconds or call.get("DurationSeconds", 3600)
    session = Session(f"ASIA{unique}", account_id, arn, f"AROA{unique}:{call['RoleSessionName']}", call.now + lifetime)
    organisation.sessions[session.access_key] = session
    return {
        "Credentials": {
            "AccessKeyId": session.access_key,
            "SecretAccessKey": "sandbox" * 5,
            "SessionToken": f"sandbox-session-{unique}",
            "Expiration": session.expires_at,
        },
        "AssumedRoleUser": {"AssumedRoleId": session.user_id, "Arn": arn},
        "PackedPolicySize": 0,
    }


def rendered(operation: str, answer: dict[str, Any], request_id: str) -> bytes:
    """An answer as XML."""
    result = _xml({**answer}, operation_model("sts", operation).output_shape)
    return (
        f'<{operation}Response xmlns="{NAMESPACE}"><{operation}Result>{result}</{operation}Result>'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    ).encode()


def _xml(values: dict[str, Any], shape: Any) -> str:
    parts = []
    for name, value in values.items():
        member = shape.members[name]
        if isinstance(value, dict):
            text = _xml(value, member)
        elif member.type_name == "timestamp":
            text = _iso(value)
        else:
            text = escape(str(value))
        parts.append(f"<{name}>{text}</{name}>")
    return "".join(parts)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rendered_error(error: AwsError, request_id: str) -> bytes:
    """An error as XML."""
    kind = "Receiver" if error.status >= 500 else "Sender"
    return (
        f'<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>{kind}</Type><Code>{error.code}</Code>'
        f"<Message>{escape(error.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    ).encode()


OPERATIONS: dict[str, Operation] = {"GetCallerIdentity": GetCallerIdentity, "AssumeRole": AssumeRole}
