"""One call of an operation: its parameters, who makes it, where, and what it finds.

Made by dispatch.py, handed to the operations. It answers the questions that every operation starts with: which
instance, which identity store, is this caller let in? It changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from connector.sandbox.callers import Caller
from connector.sandbox.errors import AwsError, denied, not_found, not_in_store, validation
from connector.sandbox.identities import IdentityStore
from connector.sandbox.instances import Instance
from connector.sandbox.models import ACTION_PREFIXES, error_codes
from connector.sandbox.options import Options
from connector.sandbox.organisation import Organisation


@dataclass
class Call:
    """A validated request."""

    organisation: Organisation
    options: Options
    service: str
    operation: str
    parameters: dict[str, Any]
    caller: Caller
    region: str
    now: float
    page_fault: str | None = None  # "short", "empty" or "loop": a fault rule about this call's page

    @property
    def action(self) -> str:
        """The IAM action of the operation."""
        return f"{ACTION_PREFIXES[self.service]}:{self.operation}"

    def __getitem__(self, name: str) -> Any:
        return self.parameters[name]

    def get(self, name: str, default: Any = None) -> Any:
        """A parameter, or the default."""
        return self.parameters.get(name, default)

    def deny(self, because: str = "no identity-based policy allows the {action} action") -> AwsError:
        """The AccessDeniedException for this call; to be raised."""
        return denied(self.caller.arn, self.action, because)


@dataclass
class Page:
    """A page of a list: the member that holds it, the items (rendered or not), the position after it."""

    member: str
    items: list[Any]
    next_token: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)


Answer = dict[str, Any] | Page
Operation = Callable[[Call], Answer]


def instance_named(call: Call, arn: str) -> Instance:
    """The instance, if this Region serves it and this caller may know it."""
    instance = call.organisation.instances.get(arn)
    if instance is None or call.region not in instance.regions or not may_see(call, instance):
        # In a Region that does not serve it, an instance simply is not there (aws-behaviour 13).
        if "ResourceNotFoundException" not in error_codes(call.service, call.operation):
            raise call.deny("the instance does not exist or belongs to somebody else")
        raise not_found(f"Instance not found: {arn}")
    return instance


def administered(call: Call, arn: str) -> Instance:
    """The instance, for a caller that administers it: its owner, or a delegated administrator of the organisation."""
    instance = instance_named(call, arn)
    if not administers(call, instance):
        raise call.deny()
    return instance


def with_permission_sets(call: Call) -> Instance:
    """The instance that InstanceArn names, in its primary Region, with multi-account permissions."""
    instance = administered(call, call["InstanceArn"])
    if instance.kind == "account":
        raise validation("The operation is not supported for account instances of IAM Identity Center.")
    if not instance.permission_sets_enabled:
        raise validation("Permission sets are not enabled for this instance of IAM Identity Center.")
    if call.region != instance.region:
        # Additional Regions serve neither permission sets nor assignments (aws-behaviour 14); the code is unproven.
        raise validation(f"The operation is supported in the primary Region {instance.region} only.")
    return instance


def may_see(call: Call, instance: Instance) -> bool:
    """Organisation instances are visible to every AWS account, account instances to their owner."""
    return instance.kind == "organization" or instance.owner_account == call.caller.account_id


def administers(call: Call, instance: Instance) -> bool:
    """Whether the caller may use the instance's administrative operations."""
    if instance.owner_account == call.caller.account_id:
        return True
    return instance.kind == "organization" and call.caller.kind == "delegated"


def identity_store(call: Call, write: bool = False) -> IdentityStore:
    """The identity store that IdentityStoreId names (id or ARN), if this Region and this caller may use it."""
    identifier = bare(call["IdentityStoreId"])
    for instance in call.organisation.instances.values():
        if instance.store.id == identifier and call.region in instance.regions:
            break
    else:
        raise not_in_store("IDENTITY_STORE")  # ResourceId has no form for a store's id
    if write and call.region != instance.region:
        raise validation(f"Writes are supported in the primary Region {instance.region} only.")
    if not administers(call, instance):
        # The model says that a member account may read the identity store; it never may write.
        readable = instance.kind == "organization" and call.options.member_identity_reads and not write
        if not readable:
            raise call.deny()
    return instance.store


def bare(identifier: str) -> str:
    """An id without the ARN that may be around it."""
    return identifier.rsplit("/", 1)[1] if identifier.startswith("arn:") else identifier
