"""What decides how the web application serves: one home for its limits and defaults."""

import dataclasses

from atelier.errors import AtelierError

LOCAL = ("127.0.0.1", "localhost", "::1")


@dataclasses.dataclass(frozen=True)
class Settings:
    """How the application serves; the command line and the pages read their defaults here."""

    host: str = "127.0.0.1"
    port: int | None = None  # None takes the first free one from 7860 on
    share: bool = False  # a public link through Gradio's own service
    user: str | None = None
    password: str | None = None
    force: bool = False  # to other machines without a password
    data: str | None = None  # a collection whose similar paintings are shown
    challenger_share: float = 0.2  # of classifications, where there is a challenger
    max_bytes: int = 25_000_000  # of one upload
    max_pixels: int = 50_000_000  # of one picture
    max_photos: int = 8  # that are translated at once
    max_side: int = 1600  # pixels of the longer side of what is painted
    queue: int = 64  # jobs that may wait
    sessions: int = 300  # visitors whose place is kept; the one who was away longest goes
    memory: int = 3_000_000_000  # bytes of models that are kept loaded
    kept_seconds: int = 3600  # for which temporary files are kept
    kept_days: int = 365  # for which notes of requests and feedback are kept

    def replace(self, **changes):
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    @property
    def auth(self):
        """(user, password), or None where neither is asked for."""
        return (self.user, self.password) if self.user else None

    def check(self):
        """Refuse what would serve others by accident.

        Raises:
            AtelierError: if other machines are let in without a password, or half of the two is given.
        """
        if bool(self.user) != bool(self.password):
            raise AtelierError(
                "a user name and a password",
                "one without the other",
                "Give both, or neither; the password in ATELIER_APP_PASSWORD.",
            )
        if self.host not in LOCAL and not self.auth and not self.force:
            raise AtelierError(
                f"a user name and a password to serve at {self.host}",
                "none",
                "Give --user and ATELIER_APP_PASSWORD, or --force to let everybody in.",
            )
        if not 0 <= self.challenger_share <= 1:
            raise AtelierError("a share from 0 to 1", self.challenger_share, "Correct it.")
