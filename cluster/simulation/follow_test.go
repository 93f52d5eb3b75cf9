package simulation

import (
	"bufio"
	"fmt"
	"strings"
	"testing"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/remote"
)

// The follower's script gets on a node what svlogd wrote there, by request.
func TestFollowScript(t *testing.T) {
	c := start(t, Options{Speed: 20})
	h := c.Host("be1")
	defer h.Close()
	s, err := h.Start(t.Context(), remote.Script{Name: "follow", Text: assets.MustRead("scripts/follow.sh")})
	if err != nil {
		t.Fatal(err)
	}
	const file = "/var/log/chef-backend/leaderl/current"
	fmt.Fprintf(s.Stdin(), "MARK\n1;stat /var/log/chef-backend/*/current /var/log/chef-backend/*/*/current;read %s 0 1\n2;stat %s\n", file, file)
	lines := bufio.NewScanner(s.Stdout())
	var got []string
	for lines.Scan() && lines.Text() != "MARK end 2" {
		got = append(got, lines.Text())
	}
	all := strings.Join(got, "\n")
	for _, service := range []string{"leaderl", "etcd", "postgresql/9.5", "elasticsearch", "epmd"} {
		if !strings.Contains(all, ":/var/log/chef-backend/"+service+"/current\n") {
			t.Errorf("no identity of %s's log", service)
		}
	}
	if !strings.Contains(all, "MARK ready") || !strings.Contains(all, "MARK end 1") || strings.Count(all, "\nMARK read\n") != 1 {
		t.Errorf("the answers are not framed:\n%.600s", all)
	}
	content, _ := c.node("be1").machine.Files().Read(file)
	if !strings.Contains(all, string(content[:min(len(content), 2000)])) {
		t.Errorf("what was read is not what the log holds:\n%.600s", all)
	}
	if err := s.Stdin().Close(); err != nil {
		t.Error(err)
	}
	if r, err := s.Wait(); err != nil || r.Exit != 0 {
		t.Errorf("it ended with %v, %v", r.Exit, err)
	}
}
