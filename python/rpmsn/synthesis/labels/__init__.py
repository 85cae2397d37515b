# SPDX-License-Identifier: GPL-3.0-or-later
"""The truth about a scene: facts about every emission (`truth`), and masks derived from them (`masks`)."""
