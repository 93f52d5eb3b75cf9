//go:build !linux

package main

import "golang.org/x/sys/unix"

// flushInput throws away what was typed at a terminal and not read yet.
func flushInput(fd int) error {
	const read = 1 // FREAD of sys/fcntl.h
	return unix.IoctlSetPointerInt(fd, unix.TIOCFLUSH, read)
}

// The calls that read and set a terminal's settings.
const getTerminal, setTerminal = unix.TIOCGETA, unix.TIOCSETA
