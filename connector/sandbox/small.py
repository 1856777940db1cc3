"""The small organisation of the README: one that fits on a page and has one of everything that can go wrong.

Core (management), Data and Eng (a delegated administrator), Legacy (suspended, an assignment left); permission sets
Admin, Read, Write, Security; groups named aws_<account>_<role>; a direct assignment, a disabled user, an orphan, an
empty group, a pair without assignments, two applications of which one is open to everybody.
"""

from functools import partial

from connector.sandbox import building
from connector.sandbox.organisation import Organisation

CORE, DATA, ENG, LEGACY = "111122223333", "123456789012", "210987654321", "444455556666"
ACCOUNTS = {"Core": CORE, "Data": DATA, "Eng": ENG, "Legacy": LEGACY}
PERMISSION_SETS = {
    "Admin": ("Full administration", "AdministratorAccess", "PT1H"),
    "Read": ("Read everything", "ReadOnlyAccess", "PT8H"),
    "Write": ("Work with data and deployments", "PowerUserAccess", "PT4H"),
    "Security": ("Audit of security settings", "SecurityAudit", "PT2H"),
}
# group: (permission set, AWS account, members)
GROUPS = {
    "aws_core_admin": ("Admin", "Core", ("ada",)),
    "aws_core_security": ("Security", "Core", ("ada", "grace")),
    "aws_data_admin": ("Admin", "Data", ("ada", "edgar")),
    "aws_data_read": ("Read", "Data", ("edgar", "katherine", "mary", "dorothy", "hedy")),
    "aws_data_write": ("Write", "Data", ("edgar", "katherine")),
    "aws_data_security": ("Security", "Data", ("grace",)),
    "aws_eng_admin": ("Admin", "Eng", ("alan",)),
    "aws_eng_read": ("Read", "Eng", ("linus", "margaret", "tim", "hedy")),
    "aws_eng_write": ("Write", "Eng", ("alan", "margaret", "barbara")),
    "aws_eng_security": ("Security", "Eng", ()),
    "aws_legacy_read": ("Read", "Legacy", ("tim", "mary")),
}
# userName: (given name, family name, title, department, manager)
USERS = {
    "ada": ("Ada", "Lovelace", "Head of Platform", "Platform", None),
    "alan": ("Alan", "Turing", "Engineering Lead", "Engineering", "ada"),
    "barbara": ("Barbara", "Liskov", "Engineer", "Engineering", "alan"),
    "dorothy": ("Dorothy", "Vaughan", "Analyst", "Data", "edgar"),
    "edgar": ("Edgar", "Codd", "Data Lead", "Data", "ada"),
    "grace": ("Grace", "Hopper", "Security Officer", "Security", "ada"),
    "hedy": ("Hedy", "Lamarr", "Contractor", "Engineering", "alan"),
    "katherine": ("Katherine", "Johnson", "Data Engineer", "Data", "edgar"),
    "linus": ("Linus", "Torvalds", "Engineer", "Engineering", "alan"),
    "margaret": ("Margaret", "Hamilton", "Engineer", "Engineering", "alan"),
    "mary": ("Mary", "Jackson", "Analyst", "Data", "edgar"),
    "tim": ("Tim", "Berners-Lee", "Engineer", "Engineering", "alan"),
}
DISABLED = "hedy"
DIRECT = ("barbara", "Write", "Data")


def small(seed: int = 1, region: str = "eu-west-1") -> Organisation:
    """The small organisation; only ids depend on the seed."""
    organisation = building.new_organisation(seed, CORE)
    for name, identifier in ACCOUNTS.items():
        building.add_account(organisation, identifier, name, "Core" if name == "Core" else "Workloads")
    organisation.accounts_by_id[LEGACY].state = "SUSPENDED"
    organisation.delegated_administrators[ENG] = building.FIRST_DAY
    instance = building.add_instance(organisation, region, "Core")
    _people(organisation)
    for name, (description, policy, duration) in PERMISSION_SETS.items():
        building.add_permission_set(organisation, instance, name, description, policy, duration)
    _access(organisation)
    _applications(organisation)
    organisation.recipe = partial(small, seed, region)
    return organisation


def _people(organisation: Organisation) -> None:
    store = organisation.store
    for number, (user_name, (given, family, title, department, _)) in enumerate(USERS.items()):
        user = building.add_user(
            organisation, store, user_name, given, family, building.FIRST_DAY + 86_400 * number, Title=title
        )
        user.extension = {"employeeNumber": f"E{1000 + number}", "department": department}
    for user_name, row in USERS.items():
        if row[4]:
            user = store.users_by_name[user_name]
            user.extension["manager"] = {"value": store.users_by_name[row[4]].id}
    store.users_by_name[DISABLED].enabled = False
    for name, (permission_set, account, members) in GROUPS.items():
        group = building.add_group(organisation, store, name, f"{permission_set} on {account}")
        for member in members:
            building.join(organisation, store, group, store.users_by_name[member])


def _access(organisation: Organisation) -> None:
    instance, store = organisation.instance, organisation.store
    sets = instance.permission_sets_by_name
    for name, (permission_set, account, _) in GROUPS.items():
        principal = ("GROUP", store.groups_by_name[name].id)
        building.assign(organisation, instance, sets[permission_set], ACCOUNTS[account], principal)
    user_name, permission_set, account = DIRECT
    principal = ("USER", store.users_by_name[user_name].id)
    building.assign(organisation, instance, sets[permission_set], ACCOUNTS[account], principal)
    gone = f"{store.prefix}{organisation.uuid()}"
    building.assign(organisation, instance, sets["Read"], DATA, ("USER", gone))
    building.provision(organisation, instance, sets["Read"], CORE)


def _applications(organisation: Organisation) -> None:
    instance, store = organisation.instance, organisation.store
    dashboards = building.add_application(organisation, instance, "Dashboards", "Metrics of all AWS accounts")
    for principal in (("GROUP", store.groups_by_name["aws_eng_read"].id), ("USER", store.users_by_name["grace"].id)):
        building.assign_application(organisation, instance, dashboards, principal)
    building.add_application(organisation, instance, "Wiki", "Open to every user", required=False)
