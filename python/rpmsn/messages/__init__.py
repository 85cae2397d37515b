# SPDX-License-Identifier: GPL-3.0-or-later
"""What is sent and written. Read `fields` first: the one table that everything else is made from.

=============== ==================================================================================
`fields`        every key: kind, unit, meaning, in which messages, files and tables
`keys`          the names of the keys, for code
`results`       results of the engine -> fields of messages
`report`        fields of a message -> a carrier as it was last reported
`json_messages` fields -> JSON; `wire`: JSON -> what is on the wire; `times`: times as text
`frame`         the fields of a frame, checked, for pictures
`page`          the schema, and the tables of docs/messages.md
=============== ==================================================================================
"""
