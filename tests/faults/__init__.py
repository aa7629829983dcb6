"""Every promise of docs/operations.md, tried on processes that are killed, starved, cut off and lied to."""

import pytest

pytest.register_assert_rewrite("tests.faults.invariants", "tests.faults.traffic", "tests.faults.fleet")
