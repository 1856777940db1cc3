"""One Identity Center instance: Regions, permission sets, pairs, assignments, requests under way, applications.

Written by the seeds and the sso-admin operations, read by them and by the oracle's dump. A pair (permission set ×
AWS account) exists while it is provisioned, with or without assignments. No rule of AWS is enforced here.
"""

import heapq
from dataclasses import dataclass, field

from connector.sandbox.access import (
    Application,
    ApplicationAssignment,
    Assignment,
    Pair,
    PermissionSet,
    Principal,
    Request,
)
from connector.sandbox.identities import IdentityStore
from connector.sandbox.ordered import Ordered


@dataclass
class Instance:
    """An instance; `regions` maps every Region that serves it to its status."""

    arn: str
    store: IdentityStore
    owner_account: str
    name: str
    region: str
    created_at: float
    kind: str = "organization"
    status: str = "ACTIVE"
    permission_sets_enabled: bool = True
    regions: dict[str, tuple[str, float]] = field(default_factory=dict)  # name -> (status, added)
    permission_sets: Ordered[PermissionSet] = field(default_factory=Ordered)
    permission_sets_by_arn: dict[str, PermissionSet] = field(default_factory=dict)
    permission_sets_by_name: dict[str, PermissionSet] = field(default_factory=dict)
    pairs: dict[tuple[str, str], Pair] = field(default_factory=dict)
    pairs_by_account: dict[str, Ordered[Pair]] = field(default_factory=dict)
    assignments: dict[tuple[str, str, Principal], Assignment] = field(default_factory=dict)
    by_principal: dict[Principal, Ordered[Assignment]] = field(default_factory=dict)
    applications: Ordered[Application] = field(default_factory=Ordered)
    applications_by_arn: dict[str, Application] = field(default_factory=dict)
    applications_by_principal: dict[Principal, Ordered[ApplicationAssignment]] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)  # resource arn -> tags
    requests: dict[str, Request] = field(default_factory=dict)
    requests_by_kind: dict[str, Ordered[Request]] = field(default_factory=dict)
    due: list[tuple[float, int, str]] = field(default_factory=list)  # heap of (due at, seq, request id)
    in_flight: dict[str, Request] = field(default_factory=dict)
    peak_in_flight: int = 0

    @property
    def id(self) -> str:
        """The instance's id: the last part of its ARN."""
        return self.arn.rsplit("/", 1)[1]

    def add_permission_set(self, permission_set: PermissionSet) -> PermissionSet:
        """Take a permission set in."""
        self.permission_sets.add(permission_set)
        self.permission_sets_by_arn[permission_set.arn] = permission_set
        self.permission_sets_by_name[permission_set.name] = permission_set
        return permission_set

    def remove_permission_set(self, permission_set: PermissionSet) -> None:
        """Remove a permission set with its pairs and assignments."""
        for pair in list(permission_set.pairs):
            for assignment in list(pair.assignments):
                self.remove_assignment(assignment)
            self.remove_pair(pair)
        self.permission_sets.remove(permission_set)
        del self.permission_sets_by_arn[permission_set.arn]
        self.permission_sets_by_name.pop(permission_set.name, None)
        self.tags.pop(permission_set.arn, None)

    def add_pair(self, pair: Pair) -> Pair:
        """Note that a permission set is provisioned into an AWS account."""
        self.pairs[pair.permission_set_arn, pair.account_id] = pair
        self.permission_sets_by_arn[pair.permission_set_arn].pairs.add(pair)
        self.pairs_by_account.setdefault(pair.account_id, Ordered()).add(pair)
        return pair

    def remove_pair(self, pair: Pair) -> None:
        """Note that it no longer is."""
        self.pairs.pop((pair.permission_set_arn, pair.account_id), None)
        self.permission_sets_by_arn[pair.permission_set_arn].pairs.remove(pair)
        self.pairs_by_account[pair.account_id].remove(pair)

    def add_assignment(self, assignment: Assignment) -> Assignment:
        """Give a pair, which must be there, to a principal."""
        key = (assignment.permission_set_arn, assignment.account_id)
        self.pairs[key].assignments.add(assignment)
        self.assignments[(*key, assignment.principal)] = assignment
        self.by_principal.setdefault(assignment.principal, Ordered()).add(assignment)
        return assignment

    def remove_assignment(self, assignment: Assignment) -> None:
        """Take a pair from a principal; the last one takes the pair with it (aws-behaviour 19)."""
        key = (assignment.permission_set_arn, assignment.account_id)
        del self.assignments[(*key, assignment.principal)]
        self.by_principal[assignment.principal].remove(assignment)
        pair = self.pairs[key]
        pair.assignments.remove(assignment)
        if not len(pair.assignments):
            self.remove_pair(pair)

    def add_request(self, request: Request) -> Request:
        """Start an asynchronous request."""
        self.requests[request.id] = request
        self.requests_by_kind.setdefault(request.kind, Ordered()).add(request)
        heapq.heappush(self.due, (request.due_at, request.seq, request.id))
        self.in_flight[request.id] = request
        self.peak_in_flight = max(self.peak_in_flight, len(self.in_flight))
        return request

    def forget_request(self, request: Request) -> None:
        """Forget an old request's status."""
        self.requests.pop(request.id, None)
        self.requests_by_kind[request.kind].remove(request)

    def add_application(self, application: Application) -> Application:
        """Take an application in."""
        self.applications.add(application)
        self.applications_by_arn[application.arn] = application
        return application

    def add_application_assignment(self, assignment: ApplicationAssignment) -> ApplicationAssignment:
        """Give an application to a principal."""
        application = self.applications_by_arn[assignment.application_arn]
        application.assignments.add(assignment)
        application.by_principal[assignment.principal] = assignment
        self.applications_by_principal.setdefault(assignment.principal, Ordered()).add(assignment)
        return assignment

    def remove_application_assignment(self, assignment: ApplicationAssignment) -> None:
        """Take an application from a principal."""
        application = self.applications_by_arn[assignment.application_arn]
        application.assignments.remove(assignment)
        del application.by_principal[assignment.principal]
        self.applications_by_principal[assignment.principal].remove(assignment)
