"""How often somebody may ask: a bucket of tokens for each key or address.

A bucket of `count` tokens refills evenly over `period_s`. It is kept as one number, the moment at which it
will be full again (the generic cell rate algorithm), so that a subject costs one entry and no clean-up runs.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections import OrderedDict
from dataclasses import dataclass

UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_WRITTEN = re.compile(r"([1-9][0-9]{0,6})/([smhd])")
_MAX_SUBJECTS = 50_000
_IPV6_SUBSCRIBER_BITS = 64


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` requests at once, and then as many again in every `period_s` seconds."""

    count: int
    period_s: int

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Reads "60/m": a count, and s, m, h or d.

        Raises:
            ValueError: the text is not that.
        """
        written = _WRITTEN.fullmatch(text.strip())
        if written is None:
            raise ValueError('expected a count (1 to 9,999,999) per s, m, h or d, such as "60/m"')
        return cls(int(written[1]), UNITS_S[written[2]])

    def __str__(self) -> str:
        unit = next(unit for unit, seconds in UNITS_S.items() if seconds == self.period_s)
        return f"{self.count}/{unit}"


class Buckets:
    """The buckets of everybody who asked of late.

    At most `max_subjects` are kept, the longest unseen going first: addresses cost an attacker nothing, and
    must not cost this process its memory. An entry that is dropped counts as a full bucket.
    """

    def __init__(self, *, max_subjects: int = _MAX_SUBJECTS) -> None:
        self._max_subjects = max_subjects
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, subject: str, *, rate: Rate, now_s: float) -> int:
        """Takes a token out of the subject's bucket.

        Returns:
            0 when there was one, else after how many whole seconds there will be.

        With 2/m, calls at 0, 0, 0 and 30 give 0, 0, 30 and 0.
        """
        refill_s = rate.period_s / rate.count
        full_at = max(self._full_at.get(subject, now_s), now_s)
        # subtle: rounded, or a caller who waits exactly as long as told may be a rounding error too early
        wait_s = round(full_at - now_s - rate.period_s + refill_s, 6)
        if wait_s > 0:
            return math.ceil(wait_s)
        self._keep(subject, full_at + refill_s)
        return 0

    def charge(self, subject: str, *, rate: Rate, tokens: int, now_s: float) -> None:
        """Takes more tokens for a request that was let in and asks for more than one thing.

        The bucket may go below empty: the request goes on, and the next one waits until that is paid off.
        """
        full_at = max(self._full_at.get(subject, now_s), now_s)
        self._keep(subject, full_at + tokens * rate.period_s / rate.count)

    def _keep(self, subject: str, full_at: float) -> None:
        self._full_at[subject] = full_at
        self._full_at.move_to_end(subject)
        if len(self._full_at) > self._max_subjects:
            self._full_at.popitem(last=False)


def address_subject(host: str | None) -> str:
    """Whom an address stands for: an IPv4 address itself, of IPv6 the /64 that one subscriber is given.

    What is no address, such as nonsense in a proxy's header, is one subject together.
    """
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return "address:unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return f"address:{ipaddress.ip_network((int(address), _IPV6_SUBSCRIBER_BITS), strict=False)}"
        address = address.ipv4_mapped
    return f"address:{address}"
