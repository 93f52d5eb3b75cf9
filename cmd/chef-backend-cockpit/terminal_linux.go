package main

import "golang.org/x/sys/unix"

// flushInput throws away what was typed at a terminal and not read yet.
func flushInput(fd int) error { return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH) }

// The calls that read and set a terminal's settings.
const getTerminal, setTerminal = unix.TCGETS, unix.TCSETS
