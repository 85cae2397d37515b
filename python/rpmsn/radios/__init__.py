# SPDX-License-Identifier: GPL-3.0-or-later
"""What is plugged in, what is missing to use it, and what it can do; without GNU Radio.

`findings` looks for radios and their drivers (`rpmsn devices` prints it), `ranges` has what a radio offers,
`stopping` notices when one has stopped.
"""
