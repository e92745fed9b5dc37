"""The stories as Markdown for people: what happened, and what must be found of it. The README holds exactly this text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from examples.company.expecting import Story


def tell(stories: Sequence[Story]) -> str:
    """Tell all stories: the guilty, the innocents who look guilty, and the disorder of the feeds."""
    parts = ["## What must be found\n", "| story | rule | who | what tells it apart | events |", "|---|---|---|---|---|"]
    parts += [row for story in stories for row in _rows(story)]
    parts += ["\n## The guilty\n", *(_tale(story) for story in stories if not story.innocent)]
    parts += ["\n## Innocents who look guilty\n", *(_tale(story) for story in stories if story.innocent and not story.refused)]
    parts += ["\n## Disorder\n", *(_tale(story) for story in stories if story.refused)]
    return "\n".join(parts) + "\n"


def _rows(story: Story) -> Iterator[str]:
    for finding in story.findings:
        yield f"| {story.title} | {finding.rule} | {finding.holder} | {', '.join(finding.parts)} | {finding.count} |"


def _tale(story: Story) -> str:
    return "\n".join([f"- **{story.title}.** {story.tale}", *(f"  - {line}" for line in _notes(story))])


def _notes(story: Story) -> Iterator[str]:
    for excuse in story.excuses:
        by = f" by {', '.join(excuse.by)}" if excuse.by else ""
        flag = ", flagged as back-dated" if excuse.back_dated else ""
        yield f"{excuse.rule}: {excuse.count} excused ({excuse.guard}{by}{flag})"
    for question in story.questions:
        yield f"{question.rule}: {question.count} open, `{question.fact}` isn't known"
    for correction in story.corrections:
        yield f"{correction.rule}: {correction.change} because of {correction.cause}"
    for refused in story.refused:
        where = f" at `{refused.field}`" if refused.field else ""
        yield f"{refused.count} refused as `{refused.code}`{where}"
