"""What gives access: permission sets, pairs, assignments, applications, and the requests that change assignments.

Plain nouns with their own members; instances.py keeps them and their indexes, the operations give them meaning.
"""

from dataclasses import dataclass, field
from typing import Any

from connector.sandbox.ordered import Ordered

Principal = tuple[str, str]  # ("USER" | "GROUP", id)


@dataclass(slots=True)
class Assignment:
    """A pair given to a principal."""

    seq: int
    permission_set_arn: str
    account_id: str
    principal: Principal


@dataclass(slots=True)
class Pair:
    """A permission set provisioned into an AWS account, at some revision of it."""

    seq: int
    permission_set_arn: str
    account_id: str
    revision: int
    assignments: Ordered[Assignment] = field(default_factory=Ordered)


@dataclass(slots=True)
class PermissionSet:
    """A permission set with its policies; `revision` grows with every edit, the pairs follow by provisioning."""

    seq: int
    arn: str
    name: str
    created_at: float
    description: str | None = None
    session_duration: str = "PT1H"
    relay_state: str | None = None
    managed_policies: dict[str, str] = field(default_factory=dict)  # arn -> name
    customer_policies: dict[tuple[str, str], None] = field(default_factory=dict)  # (name, path)
    inline_policy: str = ""
    boundary: dict[str, Any] | None = None
    revision: int = 1
    pairs: Ordered[Pair] = field(default_factory=Ordered)


@dataclass(slots=True)
class Request:
    """An asynchronous request: a creation, a deletion or a provisioning."""

    seq: int
    id: str
    kind: str  # "creation" | "deletion" | "provisioning"
    created_at: float
    due_at: float
    permission_set_arn: str
    account_ids: tuple[str, ...]
    principal: Principal | None = None
    status: str = "IN_PROGRESS"
    failure: str | None = None
    applied: bool = False


@dataclass(slots=True)
class Application:
    """An application with its direct assignments."""

    seq: int
    arn: str
    name: str
    provider_arn: str
    account_id: str
    created_at: float
    description: str | None = None
    status: str = "ENABLED"
    assignment_required: bool = True
    assignments: Ordered["ApplicationAssignment"] = field(default_factory=Ordered)
    by_principal: dict[Principal, "ApplicationAssignment"] = field(default_factory=dict)


@dataclass(slots=True)
class ApplicationAssignment:
    """An application given to a principal."""

    seq: int
    application_arn: str
    principal: Principal
