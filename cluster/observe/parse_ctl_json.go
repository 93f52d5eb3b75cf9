package observe

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"chef-backend-cockpit/cluster"
)

// jsonRows finds the nodes in JSON of any nesting: objects that tell an
// address or GUID, and a role or name. failover is what an object that is no
// node says of it.
func jsonRows(body []byte) (rows []cluster.CtlNode, failover cluster.Truth) {
	for tries := 0; tries < 8; tries++ {
		i := bytes.IndexAny(body, "{[")
		if i < 0 {
			return nil, cluster.Unknown
		}
		var v any
		if json.NewDecoder(bytes.NewReader(body[i:])).Decode(&v) == nil {
			w := walker{}
			w.walk("", v, 0)
			if len(w.rows) > 0 {
				return w.rows, w.failover
			}
		}
		// A warning may begin with a bracket: go on after its line.
		_, rest, found := bytes.Cut(body[i:], []byte("\n"))
		if !found {
			return nil, cluster.Unknown
		}
		body = rest
	}
	return nil, cluster.Unknown
}

type walker struct {
	rows     []cluster.CtlNode
	failover cluster.Truth
}

func (w *walker) walk(name string, v any, depth int) {
	if depth > 12 || len(w.rows) >= 64 {
		return
	}
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			w.walk("", item, depth+1)
		}
	case map[string]any:
		if n, ok := nodeOf(name, v); ok {
			w.rows = append(w.rows, n)
			return
		}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if said, ok := scalar(v[k]); ok && strings.Contains(key(k), "failover") {
				n := cluster.CtlNode{}
				setField(&n, k, said)
				if n.Failover != cluster.Unknown {
					w.failover = n.Failover
				}
				continue
			}
			w.walk(k, v[k], depth+1)
		}
	}
}

// nodeOf reads an object as a node; name is the key under which it stands.
func nodeOf(name string, m map[string]any) (cluster.CtlNode, bool) {
	var n cluster.CtlNode
	for _, k := range slices.Sorted(maps.Keys(m)) {
		said, ok := scalar(m[k])
		if _, isBool := m[k].(bool); isBool && key(k) == "leader" {
			continue // whether it leads, not whom it follows
		}
		if inner, isObject := m[k].(map[string]any); isObject {
			said, ok = innerWord(inner)
		}
		if ok {
			setField(&n, text([]byte(k)), said)
		}
	}
	if n.Name == "" {
		n.Name = text([]byte(name))
	}
	where, what := n.IP != "" || n.GUID != "", n.Role != "" || n.PostgreSQL != "" || (n.IP != "" && n.GUID != "")
	return n, n.Name != "" && where && what
}

// innerWord is the one word that stands for a nested object: {"pg": {"role": …}}.
func innerWord(m map[string]any) (string, bool) {
	for _, want := range []string{"role", "state", "status", "name", "ip"} {
		for k, v := range m {
			if said, ok := scalar(v); ok && key(k) == want {
				return said, true
			}
		}
	}
	return "", false
}

func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return text([]byte(v)), true
	case bool:
		if v {
			return "true", true
		}
		return "false", true
	case float64:
		b, _ := json.Marshal(v)
		return string(b), true
	}
	return "", false
}
