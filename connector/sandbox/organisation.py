"""The state of the emulated AWS: one organisation, its AWS accounts, Identity Center instances and roles.

Seeds and operations write it, operations and the oracle's dump read it. The objects keep their own indexes: no question
that an operation asks is answered by a scan. No HTTP, no AWS error, no option is known here.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from connector.sandbox.identities import IdentityStore
from connector.sandbox.instances import Instance
from connector.sandbox.ordered import Ordered


@dataclass(slots=True)
class AwsAccount:
    """A member of the organisation."""

    seq: int
    id: str
    name: str
    email: str
    arn: str
    path: str
    joined_at: float
    state: str = "ACTIVE"
    joined_method: str = "CREATED"


@dataclass(slots=True)
class Role:
    """An IAM role that can be assumed; with an external id where it demands one."""

    arn: str
    external_id: str | None = None


@dataclass(slots=True)
class Session:
    """Credentials handed out by AssumeRole."""

    access_key: str
    account_id: str
    arn: str
    user_id: str
    expires_at: float


@dataclass
class Organisation:
    """Everything the emulated AWS knows. Hold `lock` while reading or writing it."""

    id: str
    management_account: str
    partition: str = "aws"
    random: Random = field(default_factory=lambda: Random(0))
    luck: Random = field(default_factory=lambda: Random(0))  # faults by chance; never ids
    accounts: Ordered[AwsAccount] = field(default_factory=Ordered)
    accounts_by_id: dict[str, AwsAccount] = field(default_factory=dict)
    delegated_administrators: dict[str, float] = field(default_factory=dict)
    instances: dict[str, Instance] = field(default_factory=dict)
    stores: dict[str, IdentityStore] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    scim_tokens: dict[str, str] = field(default_factory=dict)  # tenant id -> token
    scim_stores: dict[str, str] = field(default_factory=dict)  # tenant id -> identity store id
    lock: threading.RLock = field(default_factory=threading.RLock)
    recipe: Callable[[], "Organisation"] | None = None
    _seq: int = 0

    def next_seq(self) -> int:
        """A number greater than all before."""
        self._seq += 1
        return self._seq

    def uuid(self) -> str:
        """A UUID from the organisation's own random source."""
        digits = f"{self.random.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def hexadecimal(self, length: int) -> str:
        """So many hexadecimal digits."""
        return f"{self.random.getrandbits(4 * length):0{length}x}"

    def add_account(self, account: AwsAccount) -> AwsAccount:
        """Take an AWS account in."""
        self.accounts.add(account)
        self.accounts_by_id[account.id] = account
        return account

    @property
    def instance(self) -> Instance:
        """The first instance: the organisation's own."""
        return next(iter(self.instances.values()))

    @property
    def store(self) -> IdentityStore:
        """The first instance's identity store."""
        return self.instance.store
