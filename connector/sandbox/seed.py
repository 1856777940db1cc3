"""Organisations of any size, the same for the same seed.

The distribution follows what is seen in the field: a few big groups and many small ones, direct assignments for about
one user in ten, pairs that nobody holds any more, principals that were deleted. The counts are exact where an option
names them; benchmarks and the oracle read the rest from the dump.
"""

from dataclasses import dataclass
from functools import partial

from connector.sandbox import building
from connector.sandbox.access import PermissionSet
from connector.sandbox.identities import Group, IdentityStore
from connector.sandbox.instances import Instance
from connector.sandbox.names import FAMILY, GIVEN
from connector.sandbox.organisation import Organisation

DEPARTMENTS = ("Engineering", "Data", "Finance", "Operations", "Security", "Sales")
ROLES = ("read", "write", "admin", "security", "billing", "support")
ISSUER = "https://idp.example.com/scim"
MEMBERSHIPS_PER_USER = 4
DIRECT_SHARE = 0.10
EMPTY_PAIRS_SHARE = 0.03
DISABLED_SHARE = 0.03


@dataclass(frozen=True)
class Size:
    """How big an organisation is; `pairs` None: three for each group, one for each permission set and AWS account."""

    users: int = 1_000
    groups: int = 60
    permission_sets: int = 25
    aws_accounts: int = 40
    applications: int = 5
    pairs: int | None = None

    @property
    def pairs_wanted(self) -> int:
        """The number of provisioned pairs."""
        wanted = self.pairs
        if wanted is None:
            wanted = 3 * self.groups + self.permission_sets + self.aws_accounts
        return min(wanted, self.permission_sets * self.aws_accounts)


def generated(size: Size, seed: int = 1, region: str = "eu-west-1", external_idp: bool = False) -> Organisation:
    """An organisation of a size."""
    organisation = building.new_organisation(seed, f"{100_000_000_000 + seed:012d}")
    _accounts(organisation, size)
    instance = building.add_instance(organisation, region, "Organisation")
    _users(organisation, instance.store, size.users, external_idp)
    _groups(organisation, instance.store, size.groups, external_idp)
    _memberships(organisation, instance.store)
    _permission_sets(organisation, instance, size.permission_sets)
    _access(organisation, instance, size.pairs_wanted)
    _applications(organisation, instance, size.applications)
    organisation.recipe = partial(generated, size, seed, region, external_idp)
    return organisation


def _accounts(organisation: Organisation, size: Size) -> None:
    building.add_account(organisation, organisation.management_account, "Management", "Core")
    for number in range(1, size.aws_accounts):
        identifier = f"{200_000_000_000 + number:012d}"
        building.add_account(organisation, identifier, f"{_word(number)} {number:04d}")
        if number == 1:
            organisation.delegated_administrators[identifier] = building.FIRST_DAY
        elif number % 50 == 7:
            organisation.accounts_by_id[identifier].state = "SUSPENDED"


def _word(number: int) -> str:
    return ("Data", "Eng", "Shop", "Lab", "Web", "Ops")[number % 6]


def _users(organisation: Organisation, store: IdentityStore, count: int, external_idp: bool) -> None:
    source = organisation.random
    for number in range(count):
        given, family = GIVEN[number % len(GIVEN)], FAMILY[(number // len(GIVEN)) % len(FAMILY)]
        user_name = f"{given}.{family}.{number:06d}".lower()
        at = building.FIRST_DAY + source.randrange(10_000_000)
        user = building.add_user(organisation, store, user_name, given, family, at)
        user.extension = {"employeeNumber": f"E{number:06d}", "department": source.choice(DEPARTMENTS)}
        user.enabled = source.random() >= DISABLED_SHARE
        if external_idp:
            user.external_ids.append({"Issuer": ISSUER, "Id": f"00u{organisation.hexadecimal(16)}"})
            store.index_user(user)


def _groups(organisation: Organisation, store: IdentityStore, count: int, external_idp: bool) -> None:
    for number in range(count):
        name = f"aws_{_word(number).lower()}{number // 6:04d}_{ROLES[number % len(ROLES)]}"
        group = building.add_group(organisation, store, name, f"Group {number} of the sandbox")
        if external_idp and number % 10:
            external = {"Issuer": ISSUER, "Id": f"00g{organisation.hexadecimal(16)}"}
            group.external_ids.append(external)
            store.groups_by_external_id[external["Issuer"], external["Id"]] = group


def _memberships(organisation: Organisation, store: IdentityStore) -> None:
    """Sizes fall with the rank of a group; every 33rd is empty."""
    users, groups = list(store.users), list(store.groups)
    weights = [0.0 if number % 33 == 32 else 1 / (number + 1) ** 0.8 for number in range(len(groups))]
    total = sum(weights) or 1.0
    for group, weight in zip(groups, weights, strict=True):
        size = min(round(MEMBERSHIPS_PER_USER * len(users) * weight / total), int(len(users) * 0.8))
        for user in organisation.random.sample(users, size):
            building.join(organisation, store, group, user)


def _permission_sets(organisation: Organisation, instance: Instance, count: int) -> None:
    for number in range(count):
        role = ROLES[number % len(ROLES)]
        policy = ("ReadOnlyAccess", "PowerUserAccess", "AdministratorAccess", "SecurityAudit")[number % 4]
        name = f"{role.title()}{number:03d}"
        made = building.add_permission_set(organisation, instance, name, f"Permission set {number}", policy)
        if number % 5 == 0:
            made.customer_policies[f"Guard{number:03d}", "/"] = None
        if number % 7 == 0:
            made.inline_policy = '{"Version":"2012-10-17","Statement":[]}'


def _access(organisation: Organisation, instance: Instance, pairs: int) -> None:
    """Pairs with one to three groups each, direct assignments, and what is left over from earlier days."""
    source, store = organisation.random, instance.store
    sets, accounts, groups = list(instance.permission_sets), list(organisation.accounts), list(store.groups)
    chosen = source.sample(range(len(sets) * len(accounts)), pairs)
    held: list[tuple[PermissionSet, str]] = []
    for number, place in enumerate(chosen):
        permission_set, account = sets[place % len(sets)], accounts[place // len(sets)]
        building.provision(organisation, instance, permission_set, account.id)
        # A pair that nobody holds: some, as left behind by a permission set's provisioning.
        if groups and number % round(1 / EMPTY_PAIRS_SHARE) != 1:
            for group in _some(organisation, groups):
                building.assign(organisation, instance, permission_set, account.id, ("GROUP", group.id))
            held.append((permission_set, account.id))
    if not held:
        return
    users = list(store.users)
    for user in source.sample(users, round(len(users) * DIRECT_SHARE)):
        permission_set, account_id = source.choice(held)
        building.assign(organisation, instance, permission_set, account_id, ("USER", user.id))
    for _ in range(1 + len(users) // 1_000):
        permission_set, account_id = source.choice(held)
        gone = f"{store.prefix}{organisation.uuid()}"
        building.assign(organisation, instance, permission_set, account_id, ("USER", gone))


def _some(organisation: Organisation, groups: list[Group]) -> list[Group]:
    count = organisation.random.choice((1, 1, 2, 3))
    return organisation.random.sample(groups, min(count, len(groups)))


def _applications(organisation: Organisation, instance: Instance, count: int) -> None:
    source, users, groups = organisation.random, list(instance.store.users), list(instance.store.groups)
    for number in range(count):
        required = number % 4 != 3
        made = building.add_application(
            organisation, instance, f"Application {number:03d}", f"Application {number} of the sandbox", required
        )
        for group in source.sample(groups, min(2, len(groups))):
            building.assign_application(organisation, instance, made, ("GROUP", group.id))
        for user in source.sample(users, min(3, len(users))):
            building.assign_application(organisation, instance, made, ("USER", user.id))
