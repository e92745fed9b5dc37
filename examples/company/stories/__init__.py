"""The stories: each writes its events into the feed and says what must come of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from examples.company.expecting import Story
from examples.company.feed import Feed
from examples.company.stories import caps, filters, lapses, leavers, repositories, sharing, side_projects, transfers

STORIES: Final[tuple[Callable[[Feed], Story], ...]] = (
    sharing.resold_credit,
    transfers.unapproved_transfer,
    side_projects.trained_on_granted_gpus,
    leavers.keeps_using,
    caps.over_the_cap,
    caps.uplift_that_ended,
    lapses.expired,
    lapses.expired_on_the_cluster,
    lapses.voided,
    lapses.suspended,
    filters.outside_the_filters,
    repositories.transferred_out,
    repositories.forked_to_a_person,
    repositories.revoked_approval,
    transfers.approval_without_effect,
    transfers.approval_of_another_grant,
    side_projects.rejected_disclosure,
    side_projects.linked_late,
    # Innocents who look guilty.
    transfers.approval_recorded_late,
    sharing.shared_service_key,
    side_projects.holder_terms,
    sharing.two_teammates,
    transfers.approved_transfer,
    caps.uplift,
    caps.no_price,
    caps.late_price,
    side_projects.prior_invention,
    side_projects.determined_hers,
    side_projects.one_trace_only,
    leavers.job_started_before,
    leavers.within_the_window,
    leavers.metered_late,
    leavers.comes_back,
    leavers.login_passed_on,
    lapses.resumed_late,
    filters.another_name,
    repositories.divestiture,
    repositories.moved_within,
    repositories.approved_fork,
    repositories.harmless_forks,
    repositories.unlinked_login,
    repositories.unknown_visibility,
)
