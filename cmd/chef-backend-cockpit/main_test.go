package main

import (
	"os"
	"testing"
)

// asProgram makes the test binary be the program: the tests start themselves
// as the real thing, race detector included.
const asProgram = "COCKPIT_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Unsetenv(asProgram)
		main()
		return
	}
	os.Exit(m.Run())
}
