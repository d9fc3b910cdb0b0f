"""The one kind of error that a user of Atelier can mend."""


class AtelierError(ValueError):
    """Something outside the code is wrong: a place, a file, a name, a setting.

    Args:
        expected: what should have been there.
        found: what was there instead.
        remedy: what to do about it, as an imperative sentence.

    The message is one line, so that the command line can print it as it is.
    """

    def __init__(self, expected, found, remedy):
        self.expected, self.found, self.remedy = expected, found, remedy
        line = f"Expected {expected}. Found {found}. {remedy}"
        super().__init__(" ".join(str(line).split()))
