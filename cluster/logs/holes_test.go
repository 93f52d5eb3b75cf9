package logs

import (
	"slices"
	"strings"
	"testing"
)

// What is lost further down than where the reader stands is one hole, in its place,
// and is told although a newer file is what is read next.
func TestHoleFurtherDown(t *testing.T) {
	const folder = "/l/"
	a, b, c := file{folder + "@1.s", 1, 10, 10}, file{folder + "@2.s", 2, 20, 20}, file{folder + "@3.s", 3, 30, 30}
	current := file{folder + "current", 4, 40, 40}
	named := func(f file, name string, size int64) file { return file{folder + name, f.id, size, size} }
	for name, k := range map[string]struct {
		before, after []file
		shrinks       bool
		want          string // the hole; the names that are read around it
	}{
		"current was emptied":                     {[]file{a, current}, []file{a, named(current, "current", 5)}, true, "@1.s, at least 40 bytes, current"},
		"current was emptied and has grown since": {[]file{a, current}, []file{a, named(current, "current", 50)}, true, "@1.s, at least 40 bytes, current"},
		"one was removed, current rotated":        {[]file{a, b, c, current}, []file{a, c, named(current, "@4.s", 45), {folder + "current", 5, 1, 1}}, false, "@1.s, 20 bytes, @3.s, @4.s, current"},
		"two were removed":                        {[]file{a, b, c, current}, []file{a, current}, false, "@1.s, 50 bytes, current"},
		"current was removed, and there is none":  {[]file{a, b, current}, []file{a, b}, false, "@1.s, @2.s, at least 40 bytes"},
		"one was removed, and current emptied":    {[]file{a, b, c, current}, []file{a, c, named(current, "current", 0)}, true, "@1.s, 20 bytes, @3.s, at least 40 bytes"},
		"one was removed, and current has grown":  {[]file{a, b, current}, []file{a, named(current, "current", 60)}, false, "@1.s, 20 bytes, current"},
	} {
		t.Run(name, func(t *testing.T) {
			g := &log{stream: newTestStream(t, "etcd")}
			g.cursor = cursor{started: true, chain: slices.Clone(k.before), offset: 4, after: k.before[len(k.before)-2].base()}
			if k.shrinks {
				g.seen(&file{folder + "current", 4, 0, 0})
			}
			g.cursor.listed(k.after, g)
			var got []string
			tell := func() {
				g.closeHole(nil)
				for _, e := range g.batch.entries {
					text, _, _ := strings.Cut(string(g.batch.text[e.start:e.start+e.length]), ";")
					got = append(got, text)
				}
				g.batch.reset()
			}
			for {
				f, _, ok := g.want(g)
				tell()
				if !ok {
					break
				}
				got = append(got, strings.TrimPrefix(f.name, folder))
				g.offset = f.size
			}
			if text := strings.Join(got, ", "); text != k.want {
				t.Errorf("%s instead of %s", text, k.want)
			}
		})
	}
}

// A hole that is still to come is told by the cockpit that goes on, too.
func TestHoleFurtherDownOutlivesTheCockpit(t *testing.T) {
	const folder = "/var/log/chef-backend/etcd"
	a := file{folder + "/@400000006000000100000000.s", 1, 10, 10}
	current := file{folder + "/current", 4, 40, 40}
	g := &log{stream: newTestStream(t, "etcd"), folder: folder}
	g.goOnFrom(position{Service: "etcd", Folder: folder, After: a.base(), Files: []keptFile{{a.name, a.id, 10, 10}, {current.name, current.id, 40, 40}}})
	current.size, current.sure = 5, 5
	g.cursor.listed([]file{a, current}, g)
	p := g.position()
	if p.Node, p.Service = "be1", "etcd"; !p.sound("/var/log/chef-backend") {
		t.Fatalf("%+v cannot be taken up", p)
	}
	g = &log{stream: newTestStream(t, "etcd"), folder: folder}
	g.goOnFrom(p)
	g.resume()
	current.size, current.sure = 90, 90
	g.cursor.listed([]file{a, current}, g)
	g.offset, g.verify = 10, false
	if f, _, _ := g.want(g); f.name != current.name || g.hole.bytes != 40 || g.hole.exact {
		t.Errorf("%s is read after a hole of %+v", f.name, g.hole)
	}
}
