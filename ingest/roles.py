"""The roles a segment can have on its page; ingest/labelling/README.md says what each means."""

ROLES = (
    "headline", "subheading", "body", "caption", "byline", "dateline",
    "nav", "credit", "ad", "widget", "code", "comment", "reference",
)  # fmt: skip
KEPT_ROLES = ("headline", "subheading", "body")
BOILERPLATE_ROLES = ("nav", "credit", "ad", "widget")
