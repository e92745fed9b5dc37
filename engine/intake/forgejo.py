"""The source `forgejo`: deliveries of Forgejo's webhooks, which are Gitea's under another header (`X-Forgejo-Event`). Pure."""

from __future__ import annotations

from engine.intake.gitea import Gitea


class Forgejo(Gitea):
    """Forgejo's webhook deliveries."""

    name = "forgejo"
    what = "a Forgejo delivery"
    header = "the X-Forgejo-Event header's word, such as push (the payload alone doesn't show it)"
    do = "Send the delivery as Forgejo sent it."
