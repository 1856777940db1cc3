"""How an organisation is put together: the parts that seeds and the control endpoint share.

Everything that would take a call to AWS is made directly here, in a consistent state. Ids and dates come from the
organisation's random source and a fixed first day, so that the same seed makes the same organisation.
"""

import random
from typing import Any

from connector.sandbox.access import Application, ApplicationAssignment, Assignment, Pair, PermissionSet, Principal
from connector.sandbox.identities import Group, IdentityStore, Membership, Trace, User
from connector.sandbox.instances import Instance
from connector.sandbox.organisation import AwsAccount, Organisation, Role
from connector.sandbox.permission_sets import permission_set_arn

FIRST_DAY = 1_735_689_600.0  # 2025-01-01
ROLE = "IdentityCenterConnector"
ROLE_WITH_EXTERNAL_ID = "IdentityCenterConnectorExternal"
EXTERNAL_ID = "sandbox-external-id"
_SEEDED_BY = "sandbox-seed"


def new_organisation(seed: int, management_account: str) -> Organisation:
    """An organisation without AWS accounts and instances."""
    source = random.Random(seed)
    identifier = f"o-{source.getrandbits(52):011x}"[:12]
    return Organisation(id=identifier, management_account=management_account, random=source, luck=random.Random(seed))


def add_account(organisation: Organisation, identifier: str, name: str, path: str = "Workloads") -> AwsAccount:
    """An AWS account, with the connector's two roles in it."""
    owner = f"arn:{organisation.partition}:organizations::{organisation.management_account}"
    arn = f"{owner}:account/{organisation.id}/{identifier}"
    management = identifier == organisation.management_account
    for role, external_id in ((ROLE, None), (ROLE_WITH_EXTERNAL_ID, EXTERNAL_ID)):
        role_arn = f"arn:{organisation.partition}:iam::{identifier}:role/{role}"
        organisation.roles[role_arn] = Role(role_arn, external_id)
    return organisation.add_account(
        AwsAccount(
            seq=organisation.next_seq(),
            id=identifier,
            name=name,
            email=f"aws+{name.lower().replace(' ', '-')}@example.com",
            arn=arn,
            path=f"{organisation.id}/r-root/"
            if management
            else f"{organisation.id}/r-root/ou-root-{path.lower():0<8}/",
            joined_at=FIRST_DAY,
            joined_method="INVITED" if management else "CREATED",
        )
    )


def add_instance(
    organisation: Organisation, region: str, name: str, owner: str | None = None, kind: str = "organization"
) -> Instance:
    """An instance with an empty identity store and a SCIM endpoint."""
    owner = owner or organisation.management_account
    digits = organisation.hexadecimal(10)
    store_id = f"d-{digits}"
    store_arn = f"arn:{organisation.partition}:identitystore::{owner}:identitystore/{store_id}"
    instance = Instance(
        arn=f"arn:{organisation.partition}:sso:::instance/ssoins-{organisation.hexadecimal(16)}",
        store=IdentityStore(store_id, store_arn, f"{digits}-", owner),
        owner_account=owner,
        name=name,
        region=region,
        created_at=FIRST_DAY,
        kind=kind,
        permission_sets_enabled=kind == "organization",
        regions={region: ("ACTIVE", FIRST_DAY)},
    )
    organisation.instances[instance.arn] = instance
    organisation.stores[store_id] = instance.store
    tenant = organisation.uuid()
    organisation.scim_tokens[tenant] = f"sandbox-scim-{organisation.hexadecimal(32)}"
    organisation.scim_stores[tenant] = store_id
    return instance


def add_user(
    organisation: Organisation,
    store: IdentityStore,
    user_name: str,
    given: str,
    family: str,
    at: float = FIRST_DAY,
    **attributes: Any,
) -> User:
    """A user with name and e-mail address; further attributes in AWS's spelling."""
    return store.add_user(
        User(
            seq=organisation.next_seq(),
            id=f"{store.prefix}{organisation.uuid()}",
            attributes={
                "UserName": user_name,
                "Name": {"GivenName": given, "FamilyName": family},
                "DisplayName": f"{given} {family}",
                "Emails": [{"Value": f"{user_name}@example.com", "Type": "work", "Primary": True}],
                **attributes,
            },
            trace=Trace(at, _SEEDED_BY, at, _SEEDED_BY),
        )
    )


def add_group(organisation: Organisation, store: IdentityStore, name: str, description: str | None = None) -> Group:
    """A group."""
    return store.add_group(
        Group(
            seq=organisation.next_seq(),
            id=f"{store.prefix}{organisation.uuid()}",
            name=name,
            description=description,
            trace=Trace(FIRST_DAY, _SEEDED_BY, FIRST_DAY, _SEEDED_BY),
        )
    )


def join(organisation: Organisation, store: IdentityStore, group: Group, user: User) -> Membership:
    """A user in a group."""
    identifier = f"{store.prefix}{organisation.uuid()}"
    seq = organisation.next_seq()
    return store.add_membership(Membership(seq, identifier, group.id, user.id, FIRST_DAY, _SEEDED_BY))


def add_permission_set(
    organisation: Organisation, instance: Instance, name: str, description: str, policy: str, duration: str = "PT1H"
) -> PermissionSet:
    """A permission set with one AWS-managed policy."""
    arn = permission_set_arn(instance, organisation.hexadecimal(16))
    made = PermissionSet(organisation.next_seq(), arn, name, FIRST_DAY, description, duration)
    made.managed_policies[f"arn:{organisation.partition}:iam::aws:policy/{policy}"] = policy.rsplit("/", 1)[-1]
    return instance.add_permission_set(made)


def provision(organisation: Organisation, instance: Instance, permission_set: PermissionSet, account_id: str) -> Pair:
    """The pair, provisioned if it was not; it needs no assignment."""
    found = instance.pairs.get((permission_set.arn, account_id))
    if found is not None:
        return found
    pair = Pair(organisation.next_seq(), permission_set.arn, account_id, permission_set.revision)
    return instance.add_pair(pair)


def assign(
    organisation: Organisation,
    instance: Instance,
    permission_set: PermissionSet,
    account_id: str,
    principal: Principal,
) -> Assignment:
    """An assignment, to a principal that need not exist (an orphan)."""
    provision(organisation, instance, permission_set, account_id)
    found = instance.assignments.get((permission_set.arn, account_id, principal))
    if found is not None:
        return found
    return instance.add_assignment(Assignment(organisation.next_seq(), permission_set.arn, account_id, principal))


def add_application(
    organisation: Organisation, instance: Instance, name: str, description: str, required: bool = True
) -> Application:
    """An application; a SAML one of the customer's own."""
    partition, owner = organisation.partition, instance.owner_account
    arn = f"arn:{partition}:sso::{owner}:application/{instance.id}/apl-{organisation.hexadecimal(16)}"
    return instance.add_application(
        Application(
            seq=organisation.next_seq(),
            arn=arn,
            name=name,
            provider_arn=f"arn:{partition}:sso::aws:applicationProvider/custom-saml",
            account_id=owner,
            created_at=FIRST_DAY,
            description=description,
            assignment_required=required,
        )
    )


def assign_application(
    organisation: Organisation, instance: Instance, application: Application, principal: Principal
) -> None:
    """An application given to a principal."""
    if principal not in application.by_principal:
        seq = organisation.next_seq()
        instance.add_application_assignment(ApplicationAssignment(seq, application.arn, principal))
