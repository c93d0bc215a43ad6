"""What crosses a file boundary: one frozen dataclass for each kind of JSON that is written."""
