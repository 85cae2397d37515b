# SPDX-License-Identifier: GPL-3.0-or-later
"""Results over the network: one publisher, any number of subscribers, JSON over ZeroMQ. Needs pyzmq, when used.

`messages` (what is on the wire) -> `publisher` (bounded queue, one thread) -> `sockets` (ZeroMQ) -> `subscriber`.
`addresses` says what may be bound, `keys` makes and reads the CURVE keys for anything beyond this computer.
The block `segment_publisher` is a thin shell round `publisher`; docs/publisher.md has every key of the messages.
"""
