"""What can be asked of the sandbox besides its organisation: quota, pace of assignments, doubts about AWS, chance.

Set on start (main.py) and changed while it runs (control.py). Every row is a default that follows the best evidence;
where AWS's behaviour is unproven, the option exists so that both answers can be tried.
"""

from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass
class Options:
    """Live options; `None` means "no limit"."""

    # quota: requests a second for each service family; AWS allows sso-admin 20, all callers together
    tps: float | None = None
    identitystore_tps: float | None = None  # None: the same as tps
    organizations_tps: float | None = None
    burst: float | None = None  # None: one second's worth
    # the wire
    latency_ms: float = 0.0
    fault_rate: float = 0.0
    deny: list[str] = field(default_factory=list)
    check_answers: bool = False
    # paging
    page_limit: int | None = None  # short pages: never more members than this
    empty_pages: float = 0.0  # the chance that a page is empty and has a NextToken
    # assignments
    assignment_seconds: float = 0.5
    assignment_limit: int = 10
    one_write_per_account: bool = True
    lag_seconds: float = 0.0  # SUCCEEDED, but lists do not show it for so long
    user_lag_seconds: float = 0.0  # CreateUser has answered, but DescribeUser does not know the user for so long
    status_seconds: float | None = None  # requests' statuses are forgotten after so long
    orphan_delete: str = "failed"
    missing_delete: str = "not_found"
    absent_principal: str = "not_found"
    # doubts
    group_rows: bool = True
    hide_management_account: bool = False
    member_identity_reads: bool = True
    delete_keeps_memberships: bool = False
    update_user_status: bool = False
    disabled_may_join: bool = False
    extension_keys: str = "camel"
    # callers
    caller: str = "management"
    session_seconds: int | None = None

    def merge(self, changes: dict[str, Any]) -> None:
        """Change some options; raise ValueError for an unknown name or a value of the wrong kind, changing nothing."""
        known = {row.name: _kind(row.type) for row in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"unknown option {name!r}; there are {', '.join(known)}")
            if not _fits(known[name], value):
                raise ValueError(f"option {name} is {known[name]}, not {value!r}")
            if name in CHOICES and value not in CHOICES[name]:
                raise ValueError(f"option {name} is one of {', '.join(CHOICES[name])}, not {value!r}")
        for name, value in changes.items():
            setattr(self, name, value)

    def as_dict(self) -> dict[str, Any]:
        """Every option with its present value."""
        return asdict(self)


CHOICES = {
    "orphan_delete": ("failed", "succeeded"),
    "missing_delete": ("not_found", "failed", "succeeded"),
    "absent_principal": ("not_found", "rows"),
    "extension_keys": ("camel", "pascal"),
    "caller": ("management", "delegated", "member"),
}

_KINDS: dict[str, tuple[type, ...]] = {
    "float": (int, float),
    "int": (int,),
    "bool": (bool,),
    "str": (str,),
    "list[str]": (list,),
}


def _kind(declared: Any) -> str:
    return declared.__name__ if isinstance(declared, type) else str(declared)


def _fits(kind: str, value: Any) -> bool:
    if value is None:
        return kind.endswith("| None")
    kind = kind.removesuffix(" | None")
    if isinstance(value, bool) and kind != "bool":
        return False
    if kind == "list[str]" and isinstance(value, list):
        return all(isinstance(item, str) for item in value)
    return isinstance(value, _KINDS[kind])
