package tui

import (
	"strings"
	"testing"
)

func TestReflow(t *testing.T) {
	const text = "# Head\n\none two three four\nfive six\n\n- an item that goes\n  on and on\n- b\n\n1. step\n\n        code stays here\n\n    Only if: so and so\n\n| a | b |\n\n```yaml\nkey:  value\n  more: 1\n```\n"
	const want = `# Head

one two three
four five six

- an item
  that goes on
  and on
- b

1. step

        code
        stays
        here

    Only if:
    so and so

| a | b |

` + "```yaml\nkey:  value\n  more: 1\n```"
	if got := strings.Join(reflow(text, 14), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for w := range 90 {
		for _, r := range reflow(text, w) {
			if w > 12 && width(r) > w {
				t.Errorf("%d cells: %q", w, r)
			}
		}
	}
}
