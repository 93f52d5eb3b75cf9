package main

import (
	"os"
	"os/signal"
	"syscall"
	"testing"

	"chef-backend-cockpit/remote"
)

// asProgram makes the test binary be the program: the tests start themselves
// as the real thing, race detector included.
const asProgram = "COCKPIT_TEST_AS_PROGRAM"

// asFaulty makes a goroutine of the program panic when it is sent SIGUSR1, as
// any goroutine of remote, observe, logs, watch or recovery would.
const asFaulty = "COCKPIT_TEST_AS_FAULTY"

func panicWhenTold() {
	defer remote.Guard()
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGUSR1)
	<-told
	panic("an invented fault")
}

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Unsetenv(asProgram)
		if os.Getenv(asFaulty) != "" {
			go panicWhenTold()
		}
		main()
		return
	}
	os.Exit(m.Run())
}
