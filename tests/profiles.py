"""Size and seed of a test run. ``GATEWAY_ENTITIES_TEST_PROFILE`` names the profile:

- ``default``: every behaviour once, with few examples, and with nothing but Python: a test that has variants (transports,
  sync and async, stores) runs in one of them, which the seed draws; tests with other programs (PostgreSQL, compilers, other
  languages) are skipped.
- ``drawn``: as the default, and with other programs.
- ``variants``: every variant, with few examples.
- ``ci``: every variant, and a share of the large counts. The seed comes from the commit, so the shares of successive commits
  add up.
- ``full``: the large counts as a whole.

``GATEWAY_ENTITIES_TEST_SEED`` repeats a run with its printed seed.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

_ROOT = Path(__file__).resolve().parent.parent


class Profile(NamedTuple):
    """The size of one kind of run.

    Attributes:
        examples: hypothesis's examples of one property. A law of the entities has this many for each of them.
        share: the drawn fraction of each large count. None: each test's own small count instead.
        variants: whether a test runs in each of its variants.
        programs: whether tests use programs that a fresh machine lacks.
    """

    examples: int
    share: float | None
    variants: bool = True
    programs: bool = True


PROFILES = {
    "default": Profile(examples=20, share=None, variants=False, programs=False),
    "drawn": Profile(examples=20, share=None, variants=False),
    "variants": Profile(examples=20, share=None),
    "ci": Profile(examples=46, share=0.05),
    "full": Profile(examples=920, share=1.0),
}
NAME = os.environ.get("GATEWAY_ENTITIES_TEST_PROFILE", "default")
PROFILE = PROFILES[NAME]


def count(full: int, default: int) -> int:
    """Return this run's share of a large count, at least the default profile's."""
    return default if PROFILE.share is None else max(default, round(full * PROFILE.share))


def whole(full: int, default: int) -> int:
    """Return a count of which only the default profile has a part."""
    return default if PROFILE.share is None else full


def _commit_seed() -> int:
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=_ROOT, capture_output=True, text=True, check=False)
    # Without a repository, as in an unpacked sdist, one seed is as good as another.
    return int(done.stdout[:8], 16) if done.returncode == 0 else 1


SEED = int(os.environ.get("GATEWAY_ENTITIES_TEST_SEED") or _commit_seed())
"""Seed of the tests' generators."""
