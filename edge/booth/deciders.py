"""Who works with travellers: an engineer repairs devices and sees nobody's face."""

from edge.records.accounts import Role

DECIDERS = (Role.OFFICER, Role.SUPERVISOR)
