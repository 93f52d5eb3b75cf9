package cluster

import (
	"fmt"
	"strings"
)

func init() {
	// Registered apart, since its check reads the register itself.
	register(Fact{Name: "at", Check: checkAt, Ask: askAt,
		Doc: "Another fact, asked of the node named first: `at {other} fenced`."})
}

func checkAt(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("takes a node and a fact, got %q", strings.Join(args, " "))
	}
	_, err := ParseQuestion(strings.Join(args[1:], " "))
	return err
}

func askAt(v *View, b Binding) Answer {
	if len(b.Args) < 2 {
		return say(Unknown, "no node and no fact were named")
	}
	q, err := ParseQuestion(strings.Join(b.Args[1:], " "))
	if err != nil {
		return say(Unknown, err.Error())
	}
	b.Node = b.Args[0]
	return q.Ask(v, b)
}
