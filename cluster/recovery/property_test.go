package recovery

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// incidents is how many are made up: a small draw, or with
// CHEF_BACKEND_SAFETY=1 ten thousand.
func incidents() int {
	if os.Getenv("CHEF_BACKEND_SAFETY") != "" {
		return 10_000
	}
	return 200
}

// Whatever fails, whatever is typed and whenever the cockpit dies: no command
// reaches a node that was not confirmed, nor a node that the plan does not name,
// none runs twice, and no copy is replaced while another node's is, nor the only
// good one unless that was typed. What ran is told by the nodes alone.
func TestIncidentsHoldTheInvariants(t *testing.T) {
	var acts, all atomic.Int64
	const side = 2
	if err := flag.Set("rapid.checks", fmt.Sprint(incidents()/side)); err != nil {
		t.Fatal(err)
	}
	t.Run("made up", func(t *testing.T) {
		for n := range side {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				rapid.Check(t, func(rt *rapid.T) {
					broken, ran := happens(t, func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "") }, noMischief)
					acts.Add(int64(ran))
					all.Add(1)
					if len(broken) > 0 {
						rt.Fatalf("%s", strings.Join(broken, "\n"))
					}
				})
			})
		}
	})
	t.Logf("%d incidents, %d commands reached a node: the invariants hold", all.Load(), acts.Load())
}

// seeded is chance by number.
func seeded(seed int) dice {
	r := rand.New(rand.NewPCG(uint64(seed), 7))
	return r.IntN
}

// The oracle tells when the cockpit does what it must not: each fault that is
// put into it is found out.
func TestOracleTells(t *testing.T) {
	for bad, want := range map[mischief]string{
		noGuards: "only good copy", noConfirm: "not confirmed", noMemory: "ran again", noLock: "is at work",
		otherNode: "not in the plan", neverArming: "was not armed",
	} {
		t.Run(string(bad), func(t *testing.T) {
			t.Parallel()
			for seed := range 3000 {
				if broken, _ := happens(t, seeded(seed), bad); strings.Contains(strings.Join(broken, "\n"), want) {
					t.Logf("found out by incident %d: %s", seed, broken[0])
					return
				}
			}
			t.Errorf("not found out in 3000 incidents")
		})
	}
}

// A million incidents, by number, as far as the time goes that is given for it:
// make test-safety-million goes on where it is told to.
func TestMillionIncidents(t *testing.T) {
	lasts, err := time.ParseDuration(os.Getenv("CHEF_BACKEND_MILLION"))
	if err != nil {
		t.Skip("takes hours: make test-safety-million")
	}
	from, _ := strconv.Atoi(os.Getenv("CHEF_BACKEND_FROM"))
	end, next := time.Now().Add(lasts), from
	for ; next < from+1_000_000 && time.Now().Before(end); next++ {
		if broken, _ := happens(t, seeded(next), noMischief); len(broken) > 0 {
			t.Fatalf("incident %d:\n%s", next, strings.Join(broken, "\n"))
		}
	}
	t.Logf("incidents %d to %d: the invariants hold; go on with FROM=%d", from, next-1, next)
}
