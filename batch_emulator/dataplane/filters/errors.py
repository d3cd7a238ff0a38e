"""Why a filter was refused."""


class FilterError(Exception):
    """
    The text is not a filter, or asks what the list cannot answer.

    Attributes:
        message: What is wrong, without the place.
        position: Of the first character that is wrong, counted from 0.
    """

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at position {position})")
        self.message = message
        self.position = position
