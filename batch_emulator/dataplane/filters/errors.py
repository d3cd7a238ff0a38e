"""Why a filter was refused."""


class FilterError(Exception):
    """
    The text is not a filter, or the list cannot be filtered by it.

    Attributes:
        message: What is wrong, without the place.
        position: The index of the first wrong character, counted from 0.
    """

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at position {position})")
        self.message = message
        self.position = position
