# SPDX-License-Identifier: GPL-3.0-or-later
"""Many recordings: found, annotated by processes of their own, and summed up; archives, by actors, into tables.

============= ==========================================================
`listing`     files, folders, patterns -> recordings, each once
`annotating`  one recording -> its annotations; `rpmsn annotate` of one file runs this, too
`batch`       what is to be done, and doing it in processes
`summary`     the carriers and cells of all recordings, grouped
`running`     `rpmsn archive run`: what is new becomes jobs; `ray_actors` has Ray do them
`work`        one job: a recording, or a piece of one, and its results
`pieces`      what can be done apart in a recording, and what in order
`store`       a folder or a bucket; `sources`: recordings in it
`layers`      which rows count; tables in few files
`schema`      the tables; `minutes`: occupancy and quality of input
`querying`    questions; `report`: a page
============= ==========================================================
"""
