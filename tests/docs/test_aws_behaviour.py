"""`docs/aws-behaviour.md`: citations lead to facts, facts have their parts, and what is modelled is in the model."""

import re
from collections.abc import Iterator
from pathlib import Path

import botocore
import botocore.session
import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "aws-behaviour.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
SANDBOX = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
GRADES = ("documented", "modelled", "seen in the field", "seen when run", "assumed")
NUMBERS = r" (\d+(?:(?: and |, )\d+)*)"


def facts() -> dict[int, str]:
    """The text of each fact by its number."""
    parts = re.split(r"^### (\d+)\. ", TEXT, flags=re.MULTILINE)[1:]
    numbers = [int(each) for each in parts[::2]]
    assert len(set(numbers)) == len(numbers), "a number is given twice"
    return dict(zip(numbers, (re.split(r"^## ", each, flags=re.MULTILINE)[0] for each in parts[1::2]), strict=True))


def cited(word: str) -> Iterator[tuple[str, int]]:
    """(place, number) of every citation `word 12` or `word 12, 13` in code, tests and documents."""
    paths = [path for room in ("connector", "tests", "docs") for path in (ROOT / room).rglob("*.[pm][yd]")]
    for path in [*paths, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]:
        if path in (Path(__file__), DOCUMENT):
            continue
        text = path.read_text(encoding="utf-8")
        for found in re.finditer(rf"\b{word}{NUMBERS}", text):
            place = f"{path.relative_to(ROOT)}:{text[: found.start()].count(chr(10)) + 1}"
            yield from ((place, int(number)) for number in re.findall(r"\d+", found[1]))


def test_every_citation_names_a_fact():
    """A fact that is taken away, or a number that was never given, is noticed."""
    known, citations = facts(), list(cited("aws-behaviour"))

    assert len({number for _, number in citations}) > 25
    assert [each for each in citations if each[1] not in known] == []


def test_every_row_of_motos_errors_that_is_cited_exists():
    """`moto row 9` is a row of the table in docs/sandbox.md."""
    section = SANDBOX.partition("## Where it is better than moto")[2].partition("\n## ")[0]
    rows = set(map(int, re.findall(r"^\| (\d+) \|", section, re.MULTILINE)))
    citations = list(cited("moto rows?"))

    assert len(citations) > 15
    assert [each for each in citations if each[1] not in rows] == []


def test_the_numbers_in_the_sandboxs_table_are_those_of_facts():
    """Its last column."""
    section = SANDBOX.partition("## Where it is better than moto")[2].partition("\n## ")[0]
    cells = [line.split("|")[-2] for line in section.splitlines() if re.match(r"\| \d+ \|", line)]
    numbers = {int(number) for cell in cells for number in re.findall(r"\d+", cell)}

    assert len(numbers) > 10
    assert numbers <= set(facts())


def test_nothing_cites_what_is_not_here():
    """No document outside of this repository is called as a witness."""
    elsewhere = re.compile(r"[Rr]eference'?s?,? (aws|saas|identityiq|§)|[Rr]eference'?s? (table|formula)|DESIGN §")
    found = [
        path.relative_to(ROOT)
        for room in ("connector", "tests", "docs")
        for path in (ROOT / room).rglob("*.[pm][yd]")
        if path != Path(__file__) and elsewhere.search(path.read_text(encoding="utf-8"))
    ]

    assert found == []


@pytest.mark.parametrize("number", facts())
def test_every_fact_has_its_parts(number):
    """How well it is known, in the words of the table; what relies on it; what one would see if it were wrong."""
    text = facts()[number]
    parts = re.findall(r"^- \*\*(.+?):\*\* \S", text, re.MULTILINE)

    assert parts == ["Grade", "Relied on by", "If wrong"]
    (grade,) = re.findall(r"^- \*\*Grade:\*\* (.+)$", text, re.MULTILINE)
    assert grade.startswith(GRADES)


# ---- what is modelled --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def models():
    session = botocore.session.Session()
    return {name: session.get_service_model(name) for name in ("identitystore", "sso-admin", "organizations")}


def members(model, shape: str) -> set[str]:
    return set(model.shape_for(shape).members)


def required(model, operation: str) -> set[str]:
    return set(model.operation_model(operation).input_shape.required_members)


def test_the_document_names_the_models_that_are_installed():
    """A newer botocore has other models: look at the modelled facts again, then name it."""
    assert f"({botocore.__version__}, run by" in TEXT


def test_modelled_facts_of_the_identity_store(models):
    """Facts 1, 2, 4, 5, 7, 10, 42 and 43."""
    store = models["identitystore"]
    pattern = re.compile(store.shape_for("ResourceId").metadata["pattern"])

    assert pattern.fullmatch("9067642ac7-00000000-0000-0000-0000-000000000000")
    assert pattern.fullmatch("arn:aws:identitystore:::user/00000000-0000-0000-0000-000000000000")
    assert not re.fullmatch(models["sso-admin"].shape_for("PrincipalId").metadata["pattern"], "arn:aws:identitystore:")
    assert required(store, "CreateUser") == {"IdentityStoreId"}
    assert store.shape_for("Emails").metadata["max"] == 1
    assert not [name for name in store.operation_model("CreateUser").input_shape.members if "Token" in name]
    assert all(
        "Extensions" in store.operation_model(name).input_shape.members for name in ("ListUsers", "DescribeUser")
    )
    assert "Revision" in store.operation_model("UpdateUser").input_shape.members
    assert set(store.shape_for("ConflictExceptionReason").enum) == {
        "UNIQUENESS_CONSTRAINT_VIOLATION",
        "CONCURRENT_MODIFICATION",
    }
    assert members(store, "MemberId") == {"UserId"}
    assert [name for name in store.operation_names if re.search("able|Status", name)] == []
    assert "RetryAfterSeconds" in members(store, "ThrottlingException")
    assert "RetryAfterSeconds" not in members(models["sso-admin"], "ThrottlingException")
    assert "RetryAfterSeconds" not in members(models["organizations"], "TooManyRequestsException")


def test_modelled_facts_of_permission_sets_and_assignments(models):
    """Facts 15, 16, 17, 21, 28 and 29."""
    admin = models["sso-admin"]
    arn = "arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-0123456789abcdef"

    assert "PermissionSetsEnabled" in admin.operation_model("DescribeInstance").output_shape.members
    assert re.fullmatch(admin.shape_for("PermissionSetArn").metadata["pattern"], arn)
    assert "Name" not in admin.operation_model("UpdatePermissionSet").input_shape.members
    assert required(admin, "ListAccountAssignments") == {"InstanceArn", "AccountId", "PermissionSetArn"}
    assert required(admin, "ListAccountAssignmentsForPrincipal") == {"InstanceArn", "PrincipalId", "PrincipalType"}
    assert {name for name in admin.operation_names if name.startswith("ListAccountAssignments")} == {
        "ListAccountAssignments",
        "ListAccountAssignmentsForPrincipal",
    }
    assert "A retry (with appropriate backoff logic)" in admin.shape_for("ConflictException").documentation
    assert members(admin, "AccountAssignmentOperationStatusMetadata") == {"Status", "RequestId", "CreatedDate"}


def test_modelled_facts_of_keys(models):
    """Fact 46: each service has its own words, which the page names."""
    for service in ("identitystore", "sso-admin"):
        (reason,) = models[service].shape_for("AccessDeniedExceptionReason").enum
        assert f"`{reason}`" in facts()[46]


def test_modelled_facts_of_lists(models):
    """Facts 32, 33 and 34."""
    most = {
        (service, name): model.operation_model(name).input_shape.members["MaxResults"].metadata["max"]
        for service, model in models.items()
        for name in ("ListUsers", "ListPermissionSets", "ListAccountAssignments", "ListApplications", "ListAccounts")
        if name in model.operation_names
    }

    assert set(most.values()) == {100, 20}
    assert [name for name, value in most.items() if value == 20] == [("organizations", "ListAccounts")]
    assert models["sso-admin"].shape_for("ListApplicationsResponse").members["Applications"].metadata["max"] == 50
    assert set(models["organizations"].shape_for("AccountState").enum) == {
        "PENDING_ACTIVATION",
        "ACTIVE",
        "SUSPENDED",
        "PENDING_CLOSURE",
        "CLOSED",
    }
