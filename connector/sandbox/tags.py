"""Tags of instances, permission sets and applications.

They read and change an instance's table of tags through a Call.
"""

from connector.sandbox.call import Answer, Call, Operation, administered
from connector.sandbox.errors import not_found
from connector.sandbox.instances import Instance


def _owner(call: Call) -> Instance:
    """The instance that has the resource; InstanceArn may be absent, the resource's ARN holds its id."""
    arn = call["ResourceArn"]
    for instance in call.organisation.instances.values():
        known = arn == instance.arn or arn in instance.permission_sets_by_arn or arn in instance.applications_by_arn
        if known and call.get("InstanceArn") in (None, instance.arn):
            return administered(call, instance.arn)
    raise not_found(f"Resource not found: {arn}")


def ListTagsForResource(call: Call) -> Answer:
    """All tags of a resource; there are never so many that a second page is needed."""
    tags = _owner(call).tags.get(call["ResourceArn"], {})
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def TagResource(call: Call) -> Answer:
    """Set tags."""
    tags = _owner(call).tags.setdefault(call["ResourceArn"], {})
    tags.update({row["Key"]: row["Value"] for row in call["Tags"]})
    return {}


def UntagResource(call: Call) -> Answer:
    """Remove tags; absent ones are ignored."""
    tags = _owner(call).tags.get(call["ResourceArn"], {})
    for key in call["TagKeys"]:
        tags.pop(key, None)
    return {}


OPERATIONS: dict[str, Operation] = {
    "ListTagsForResource": ListTagsForResource,
    "TagResource": TagResource,
    "UntagResource": UntagResource,
}
