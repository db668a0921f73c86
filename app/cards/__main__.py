"""python -m app.cards [FILE]: what to set CARD_KEYS to before the first start.

Prints a key that signs cards and one that signs their status list; of those in FILE, the ones there stay.
"""

import sys
from pathlib import Path

from app.cards.keys import CardKeys, InvalidCardKeys, complete
from config import FIRST_KEY_ON

try:
    there = CardKeys.load(Path(sys.argv[1]).read_text(encoding="utf-8")) if sys.argv[1:] else None
except (OSError, InvalidCardKeys) as error:
    sys.exit(str(error))
print(complete(there, FIRST_KEY_ON).dump())
