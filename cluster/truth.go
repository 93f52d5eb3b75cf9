package cluster

// Truth is a three-valued answer. Its zero value is Unknown: what was not
// seen enables nothing.
type Truth int8

// The three answers.
const (
	Unknown Truth = iota
	False
	True
)

// TruthOf turns a known condition into a Truth.
func TruthOf(b bool) Truth {
	if b {
		return True
	}
	return False
}

// Not is Kleene's negation: unknown stays unknown.
func (t Truth) Not() Truth {
	switch t {
	case True:
		return False
	case False:
		return True
	}
	return Unknown
}

// And is Kleene's conjunction over all: one false decides, then one unknown.
func And(ts ...Truth) Truth {
	all := True
	for _, t := range ts {
		if t == False {
			return False
		}
		if t == Unknown {
			all = Unknown
		}
	}
	return all
}

// Or is Kleene's disjunction over all: one true decides, then one unknown.
func Or(ts ...Truth) Truth {
	any := False
	for _, t := range ts {
		if t == True {
			return True
		}
		if t == Unknown {
			any = Unknown
		}
	}
	return any
}

// String is the word on the screen and in JSON.
func (t Truth) String() string {
	switch t {
	case True:
		return "true"
	case False:
		return "false"
	}
	return "unknown"
}

// MarshalText writes the word.
func (t Truth) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads the word; anything else is unknown.
func (t *Truth) UnmarshalText(b []byte) error {
	switch string(b) {
	case "true":
		*t = True
	case "false":
		*t = False
	default:
		*t = Unknown
	}
	return nil
}
