"""Events of review: what people did with a finding in the console. They act on findings and never become facts."""

from __future__ import annotations

from typing import Literal

from engine.domain.events.base import Data, Key, Name, Rank, Text, event
from engine.domain.values import Instant


class Review(Data, frozen=True):
    """Base of one act: by whom, in which role, on which finding of which aggregate, having seen which evidence."""

    violation: Name
    aggregate_kind: Literal["person", "repository", "pool"]
    aggregate_id: Name
    actor: Name
    role: Name = "reviewer"
    seen: Name = ""
    """The decision whose evidence the actor saw."""

    def about(self) -> Key:
        """Give the finding's aggregate."""
        return (self.aggregate_kind, self.aggregate_id)


@event("review.acknowledged.v1", Rank.DERIVED, "reviews")
class ReviewAcknowledged(Review, frozen=True):
    """Somebody took notice of the finding."""


@event("review.commented.v1", Rank.DERIVED, "reviews")
class ReviewCommented(Review, frozen=True):
    """Somebody wrote about the finding."""

    text: Text = ""


@event("review.assigned.v1", Rank.DERIVED, "reviews")
class ReviewAssigned(Review, frozen=True):
    """The finding was given to somebody."""

    to: Name = "unknown"


@event("review.escalated.v1", Rank.DERIVED, "reviews")
class ReviewEscalated(Review, frozen=True):
    """The finding was put to somebody more senior."""

    to: Name = "unknown"
    reason: Text = ""


@event("review.waived.v1", Rank.DERIVED, "reviews")
class ReviewWaived(Review, frozen=True):
    """The finding is let pass until a date, for a reason, by somebody entitled."""

    until: Instant | None = None
    reason: Text = ""


@event("review.resolved.v1", Rank.DERIVED, "reviews")
class ReviewResolved(Review, frozen=True):
    """A named human decided the finding."""

    outcome: Literal["substantiated", "dismissed"] = "dismissed"
    reason: Text = ""


@event("review.reopened.v1", Rank.DERIVED, "reviews")
class ReviewReopened(Review, frozen=True):
    """A closed finding is looked at again."""

    reason: Text = ""


@event("review.hold_placed.v1", Rank.DERIVED, "reviews")
class ReviewHoldPlaced(Review, frozen=True):
    """A legal hold: nothing about the finding may be erased."""

    matter: Name = "unknown"


@event("review.hold_released.v1", Rank.DERIVED, "reviews")
class ReviewHoldReleased(Review, frozen=True):
    """A legal hold was lifted."""

    matter: Name = "unknown"
