# SPDX-License-Identifier: GPL-3.0-or-later
"""A scene: what is on the air and how it is received (`scene`), its samples (`rendering`), files (`writing`), pictures
(`preview`), and scenes drawn at random (`presets`).
"""
