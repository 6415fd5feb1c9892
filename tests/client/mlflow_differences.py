"""Where a real MLflow server, behind our client, does other than the contract says. Each line says which tests, and why."""

from __future__ import annotations

import re

DIFFERENCES = {
    r"test_a_resource_type_of_ones_own": "MLflow binds resources of type 'scorer' only; the client answers UNIMPLEMENTED",
    r"test_a_user_budget_needs_no_authentication": "MLflow takes USER budgets only when its own authentication is on",
    r"test_a_new_scope_drops_the_old_target": "the same: the test begins with a USER budget",
    r"test_defaults": "MLflow makes an experiment for an endpoint that is tracked, and sets its id",
    r"test_an_experiment_id_is_kept_as_sent": "MLflow refuses the id of an experiment that it does not have",
    r"test_absent_and_empty_leave_fields_and_the_mask_clears_them": "the same, and MLflow cannot clear these fields",
    r"test_unknown_definitions_are_all_named": "MLflow names unknown definitions in the message, not by field",
    r"test_weights_come_back.*3\.4028234663852886e\+38": "MLflow drops the largest float; the client answers DATA_LOSS",
    r"test_empty_means_unchanged_and_the_mask_clears": "MLflow cannot take the secret from a definition",
    r"test_absent_and_empty_stay_apart": "MLflow stores an empty provider as none; the client answers DATA_LOSS",
    r"test_masking_counts_characters.*-\*\*\*": "MLflow shows 7 characters of any value of 8 and more",
    r"test_api_base_is_stripped_and_dropped_when_blank": "MLflow looks the host up, and this one is made up",
    r"test_api_base\[.*(http://api|127\.0\.0\.1|10\.0\.0\.1|::1|169\.254)": "the server decides, and MLflow names no field",
    r"test_an_unknown_action_endpoint": "MLflow returns its database's error; the client answers INVALID_ARGUMENT",
    r"test_reservations\.py::test_(?!an_amount|the_async)": "MLflow has no reservations; the client answers UNIMPLEMENTED",
    r"test_spend\.py": "MLflow counts spend itself and has no such RPCs; the client answers UNIMPLEMENTED",
    r"test_etags\.py::test_(stale|fresh|two_readers|made)": "MLflow knows no etags; the client answers UNIMPLEMENTED",
    r"test_repeats\.py": "MLflow knows no names of requests; the client answers UNIMPLEMENTED",
    r"test_changes\.py::test_(each|a_list|a_change)": "MLflow keeps no change log; the client answers UNIMPLEMENTED",
}


def expected_difference(nodeid: str) -> str | None:
    """Return why a test is expected to fail before MLflow; None if it must pass."""
    return next((reason for pattern, reason in DIFFERENCES.items() if re.search(pattern, nodeid)), None)
