"""Passwords: Argon2id, a policy, and comparison in even time."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from domain.errors import Invalid, Reason

MINIMUM_LENGTH = 12

#: RFC 9106, section 4, second recommended option (64 MiB, 3 passes, 4 lanes), which is the library's default.
hasher = PasswordHasher()

#: OWASP's minimum for Argon2id (19 MiB, 2 passes, 1 lane), for demo accounts, which sign dozens of times while the demo is made.
demo_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$R0n3vCkXAI0b6mkX8Tn6hWdRAuB6QCmgtSSShbTSTM8"


def hash_password(password: str, username: str, *, demo: bool = False) -> str:
    """The Argon2id hash, a cheaper one for accounts that work in demo mode alone.

    Raises Invalid when the password is short, or contains the username.
    """
    if len(password) < MINIMUM_LENGTH or len(password) > 200:
        raise Invalid(Reason("weak-password", f"a password has {MINIMUM_LENGTH} to 200 characters", "password"))
    if username.lower() in password.lower():
        raise Invalid(Reason("weak-password", "a password must not contain the username", "password"))
    return (demo_hasher if demo else hasher).hash(_bytes(password))


def matches(password_hash: str | None, password: str) -> bool:
    """Whether the password belongs to the hash; without a hash the same time is spent and the answer is no."""
    try:
        hasher.verify(password_hash or _NOBODY, _bytes(password[:1000]))
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def _bytes(password: str) -> bytes:
    """UTF-8, also for what is no text (half a surrogate pair): such a password is wrong, not a failure."""
    return password.encode("utf-8", "surrogatepass")
