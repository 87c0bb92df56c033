"""The equipment register: rooms, devices and instruments, their calibration and maintenance."""
