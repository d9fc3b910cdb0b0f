"""Making the tables of README and of the report again, from their seeds.

`tables` says what makes each, `needs` what that needs and whether it is there, `making` does it
apart from what is committed, and `comparing` sets the numbers side by side.
"""

from atelier.reproduce.comparing import check_agreement, compare
from atelier.reproduce.making import home_of, make, steps
from atelier.reproduce.needs import check_needs, needs
from atelier.reproduce.tables import TABLES, Table, get_table

__all__ = [
    "TABLES",
    "Table",
    "check_agreement",
    "check_needs",
    "compare",
    "get_table",
    "home_of",
    "make",
    "needs",
    "steps",
]
