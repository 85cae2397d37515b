# SPDX-License-Identifier: GPL-3.0-or-later
"""What is sent: `keys` names every key, `results` fills them, `json_messages` and `wire` make JSON."""
