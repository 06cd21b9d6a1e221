"""Lets plain `python3 -m unittest` find the rule and the SDK."""

import sys
from pathlib import Path

project = Path(__file__).parent.parent
sys.path[:0] = [str(project / "src"), str(project / ".ruledesk/sdk")]
